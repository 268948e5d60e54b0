-- What lists look for. Everybody's tasks, for those who read everything; own tasks by the time they are due.
create index tasks_newest on tasks (status, created_at desc, id desc);
create index tasks_due on tasks (status, due_at, id desc);

-- Requests of a person's or a machine's own making, newest first.
create index requests_creator_person on requests (creator_person_id, created_at desc) where creator_person_id is not null;
create index requests_creator_client on requests (creator_client_id, created_at desc) where creator_machine;

-- People by name when a directory is looked through.
create index people_assignee on people (org_id, assignee);
