#!/usr/bin/env bash
# Set up branches and GitHub environments as docs/branching.md describes them. Run this script as an administrator of
# the repository:
#
#   .github/branch-protection.sh acme/slipway acme/slipway-approvers
#
# The team approves deployments to production. You can run the script again: it sets the same settings. It skips
# branches that do not exist yet, and prints their names.
set -euo pipefail

repository=${1:?the repository is missing: run .github/branch-protection.sh OWNER/NAME OWNER/TEAM}
team=${2:?the team of approvers is missing: run .github/branch-protection.sh OWNER/NAME OWNER/TEAM}
branches=(development preproduction production)

# put PATH: send the body from standard input to this path of the repository's API
put() {
    echo "$1" >&2
    gh api --method PUT "repos/$repository/$1" --input - >/dev/null
}

# environment NAME REVIEWERS BRANCH…: create a GitHub environment that only jobs on these branches may use
environment() {
    local name=$1 reviewers=$2
    shift 2
    put "environments/$name" <<END
{
  "reviewers": $reviewers,
  "prevent_self_review": true,
  "deployment_branch_policy": {"protected_branches": false, "custom_branch_policies": true}
}
END
    local policies="repos/$repository/environments/$name/deployment-branch-policies" there branch
    there=$(gh api "$policies" --jq '.branch_policies[].name')
    for branch in "$@"; do
        grep -qxF "$branch" <<<"$there" || gh api --method POST "$policies" -f "name=$branch" >/dev/null
    done
}

approvers=$(gh api "orgs/${team%/*}/teams/${team#*/}" --jq '[{type: "Team", id: .id}]')

# Work starts from `development`, and schedules run the workflows of this branch. Only merge commits are allowed: a
# squash would separate the branches' histories.
gh api --method PATCH "repos/$repository" -f default_branch=development -F allow_merge_commit=true \
    -F allow_squash_merge=false -F allow_rebase_merge=false -F delete_branch_on_merge=true >/dev/null

for branch in "${branches[@]}"; do
    if ! gh api "repos/$repository/branches/$branch" --silent 2>/dev/null; then
        echo "There is no branch $branch yet. Create the branch, then run this script again to protect it" >&2
        continue
    fi
    # Only `development` requires branches that are up to date. A promotion's branch lacks the merge commits of earlier
    # promotions, and the check `Promotes the tested tree` compares trees instead.
    strict=false
    [ "$branch" = development ] && strict=true
    put "branches/$branch/protection" <<END
{
  "required_status_checks": {"strict": $strict, "contexts": ["All checks passed"]},
  "required_pull_request_reviews": {
    "required_approving_review_count": 1,
    "require_code_owner_reviews": true,
    "dismiss_stale_reviews": true,
    "require_last_push_approval": true
  },
  "required_conversation_resolution": true,
  "enforce_admins": true,
  "restrictions": null,
  "allow_force_pushes": false,
  "allow_deletions": false
}
END
done

environment artifact '[]' "${branches[@]}"
for branch in "${branches[@]}"; do
    reviewers='[]'
    [ "$branch" = production ] && reviewers=$approvers
    environment "$branch" "$reviewers" "$branch"
    # A debug copy of production may use production's data. So somebody else has to approve the job that creates the
    # copy.
    environment "$branch-workspaces" "$reviewers" development
    # Daily jobs must not wait for a reviewer.
    environment "$branch-verify" '[]' development
    environment "$branch-reap" '[]' development
done
