-- Writes that were refused are told of, too: `refusal` is the slug of the problem that answered.
ALTER TABLE audit_events ADD COLUMN refusal text;

CREATE INDEX audit_events_by_principal ON audit_events (principal, id DESC);
CREATE INDEX audit_events_by_action ON audit_events (action, id DESC);
