-- The state looks up the deployments that delivered a commit to an environment. The index alone answers this.
DROP INDEX deployment_commits_by_environment;
CREATE INDEX deployment_commits_by_environment ON deployment_commits (environment_id, sha) INCLUDE (deployment_id);
