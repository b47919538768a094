-- The state looks up each commit's deployment in an environment. The index alone answers that.
DROP INDEX deployment_commits_by_environment;
CREATE INDEX deployment_commits_by_environment ON deployment_commits (environment_id, sha) INCLUDE (deployment_id);
