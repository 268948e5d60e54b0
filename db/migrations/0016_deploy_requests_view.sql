-- What people read with SQL (docs/spec/deploy.md R-REQ-16): the status is right at the instant of the question, whether or not anybody
-- has written an expiry yet. Whoever reads it sees what they may see of its tables.
create view deploy_approval_requests with (security_invoker = true) as
select a.id as public_id, a.org_id, a.scope, a.app, a.commit as git_commit_hash, a.branch as git_branch,
  a.facts ->> 'prUrl' as pr_url, a.ci_metadata::jsonb as ci_metadata, a.message,
  case
    when r.status in ('pending', 'in_review') then case when r.expires_at > now() then 'pending' else 'expired' end
    when r.status = 'cancelled' and r.outcome ->> 'cause' in ('rejected', 'superseded') then r.outcome ->> 'cause'
    when r.status <> 'approved' then r.status
    when g.state = 'used' then 'deployed'
    when g.state = 'revoked' then case g.revoked_reason when 'rejected' then 'rejected' else 'cancelled' end
    when g.state = 'active' and g.expires_at > now() then 'approved'
    else 'expired'
  end as status,
  token.number as target_api_token_id,
  (select person.number from decisions d join people person on person.id = d.person_id
    where d.request_id = r.id and d.action = 'approve' and d.seat_id is not null and d.voided_at is null and r.status = 'approved'
    order by d.created_at desc, d.entry_seq desc limit 1) as approved_by_user_id,
  g.expires_at as approval_expires_at, a.object_url, a.release_id, a.created_at, a.deployed_at
from deploy_approvals a
  join requests r on r.id = a.request_id
  left join grants g on g.request_id = r.id
  left join api_tokens token on token.id = a.target_token_id;
