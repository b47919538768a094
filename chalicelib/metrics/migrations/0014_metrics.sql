-- The attempts that failed are counted by their finish.
CREATE INDEX deployments_failed ON deployments (environment_id, workspace, finished_at) WHERE state = 'failed';

-- The latest verification of a suite with this trigger is found even after many others.
CREATE INDEX verifications_after_deployment ON verifications (deployment_id, suite, counts_at DESC, id DESC)
    INCLUDE (outcome) WHERE trigger = 'deployment' AND outcome IN ('success', 'failure');
