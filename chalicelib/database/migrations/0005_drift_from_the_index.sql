-- The state asks, commit by commit, which deployment brought it to an environment: answered from the index alone.
DROP INDEX deployment_commits_by_environment;
CREATE INDEX deployment_commits_by_environment ON deployment_commits (environment_id, sha) INCLUDE (deployment_id);
