-- Who made this app, build or release? Found by its name, however long ago it was made (docs/spec/deploy.md 11.3).
create index ledger_openings_made on ledger_openings (path, (value #>> '{}')) where path in ('/build', '/release');
-- Every call names its app: of those the calls that made one.
create index ledger_openings_apps on ledger_openings ((value ->> 'app')) where path = '/ctx' and value ->> 'action' = 'app.create';
