//! Which build system runs, and which commits it judges: environment and event in, a range out.
//!
//! Must not know: the process's environment, files, git.
//! Invariant: a pure function of what is handed in; what names no base is an error, never a smaller range.

use serde_json::Value;

use crate::source::git::{Guess, RangeHead, RangeSelection};

/// What was recognised.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Job {
    /// The system and what made it run, for people.
    pub(crate) title: String,
    /// `None`: there is nothing to judge, such as after a deletion.
    pub(crate) selection: Option<RangeSelection>,
}

/// Why no range could be worked out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unclear {
    /// None of the known systems runs here.
    NoSystem,
    /// The system says too little; in words, with what to do.
    NoRange { message: String, hint: String },
}

/// What a build system says: variables, and the file that one of them names.
pub(crate) struct Surroundings<'a> {
    pub(crate) variable: &'a dyn Fn(&str) -> Option<String>,
    pub(crate) file: &'a dyn Fn(&str) -> Result<Vec<u8>, String>,
}

impl Surroundings<'_> {
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty())
    }

    fn commit(&self, name: &str) -> Option<String> {
        self.get(name).filter(|id| is_commit(id))
    }

    fn is(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// An id of zeros stands for "none".
fn is_commit(id: &str) -> bool {
    id.bytes().any(|byte| byte != b'0')
}

/// Tells the job if it is that system that runs here.
type System = fn(&Surroundings<'_>) -> Option<Result<Job, Unclear>>;

/// The job that runs here.
pub(crate) fn recognise(here: &Surroundings<'_>) -> Result<Job, Unclear> {
    let systems: [System; 8] = [pre_commit, github, gitlab, bitbucket, azure, circleci, buildkite, jenkins];
    systems.iter().find_map(|system| system(here)).unwrap_or(Err(Unclear::NoSystem))
}

/// From bases (the first that is known counts) to a head.
fn job(title: impl Into<String>, bases: Vec<String>, head: String, deepen: &str) -> Job {
    let selection = RangeSelection {
        heads: vec![RangeHead { revision: head, name: None }],
        bases,
        tags: true,
        deepen: Some(deepen.to_owned()),
        ..RangeSelection::default()
    };
    Job { title: title.into(), selection: Some(selection) }
}

fn no_range(message: impl Into<String>) -> Unclear {
    let hint = "name the commit before the change: keyfence ci --base COMMIT [--head COMMIT]".to_owned();
    Unclear::NoRange { message: message.into(), hint }
}

fn tracking(branch: &str) -> String {
    format!("refs/remotes/origin/{}", branch.strip_prefix("refs/heads/").unwrap_or(branch))
}

/// The name of a branch in one of the ways in which systems write it.
fn branch_of(name: &str) -> Option<&str> {
    let name = name.strip_prefix("refs/heads/").or_else(|| name.strip_prefix("origin/")).unwrap_or(name);
    (!name.is_empty() && !name.starts_with("refs/")).then_some(name)
}

/// Where nothing names what was there before, a branch is judged against the one it will go to. The branch that is built
/// is no such branch: it has by now what is to be judged.
fn guessed(title: &str, own: Option<&str>, usual: &[&str], head: String, deepen: &str) -> Job {
    let own = own.and_then(branch_of);
    let names = usual.iter().filter(|name| Some(**name) != own);
    let mut job = job(title, names.map(|name| tracking(name)).collect(), head, deepen);
    if let Some(selection) = &mut job.selection {
        selection.guess = Some(Guess { own: own.map(tracking), hint: SAY_BEFORE.to_owned() });
    }
    job
}

/// The branches that others usually go to.
const USUAL: &[&str] = &["HEAD", "main", "master"];
const SAY_BEFORE: &str = "name the commit before the push: keyfence ci --base COMMIT; --base HEAD^ judges the last \
    commit, with all that it merges";

fn pre_commit(here: &Surroundings<'_>) -> Option<Result<Job, Unclear>> {
    let base = here.commit("PRE_COMMIT_FROM_REF")?;
    let head = here.get("PRE_COMMIT_TO_REF").unwrap_or_else(|| "HEAD".to_owned());
    Some(Ok(job("pre-commit", vec![base], head, "fetch the whole history: git fetch --unshallow")))
}

const GITHUB_DEEPEN: &str =
    "in the workflow, under `uses: actions/checkout`, write `with: { fetch-depth: 0 }`";
const GITHUB_TARGET_DEEPEN: &str = "in the workflow, under `uses: actions/checkout`, write \
    `with: { fetch-depth: 0, ref: '${{ github.event.pull_request.head.sha }}' }`; keyfence runs nothing of it";

fn github(here: &Surroundings<'_>) -> Option<Result<Job, Unclear>> {
    here.is("GITHUB_ACTIONS").then(|| {
        let event = here.get("GITHUB_EVENT_NAME").unwrap_or_default();
        let file = here.get("GITHUB_EVENT_PATH").ok_or_else(|| no_range("GITHUB_EVENT_PATH is not set"))?;
        let bytes = (here.file)(&file)
            .map_err(|error| no_range(format!("the event file cannot be read: {error}")))?;
        // The reader's own words would quote the file.
        let told: Value =
            serde_json::from_slice(&bytes).map_err(|_| no_range("the event file is no JSON document"))?;
        github_event(&event, &told)
    })
}

fn github_event(event: &str, told: &Value) -> Result<Job, Unclear> {
    let text = |pointer: &str| told.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let commit = |pointer: &str| text(pointer).filter(|id| is_commit(id));
    let title = format!("GitHub Actions, {event}");
    let (base, head) = match event {
        "pull_request" | "pull_request_target" | "pull_request_review" => {
            (commit("/pull_request/base/sha"), commit("/pull_request/head/sha"))
        }
        "merge_group" => (commit("/merge_group/base_sha"), commit("/merge_group/head_sha")),
        "push" => return github_push(title, told),
        _ => return Err(no_range(format!("the event {event} names no commits to compare"))),
    };
    let deepen = if event == "pull_request_target" { GITHUB_TARGET_DEEPEN } else { GITHUB_DEEPEN };
    match (base, head) {
        (Some(base), Some(head)) => Ok(job(title, vec![base], head, deepen)),
        _ => Err(no_range(format!("the file of the event {event} names no commits"))),
    }
}

fn github_push(title: String, told: &Value) -> Result<Job, Unclear> {
    let text = |pointer: &str| told.pointer(pointer).and_then(Value::as_str);
    if told.pointer("/deleted").and_then(Value::as_bool) == Some(true) {
        return Ok(Job { title, selection: None });
    }
    let head = text("/after").filter(|id| is_commit(id));
    let head = head.ok_or_else(|| no_range("the file of the event push names no commit"))?;
    let before = text("/before").filter(|id| is_commit(id)).map(str::to_owned);
    let default = text("/repository/default_branch");
    let branch = text("/ref").and_then(|name| name.strip_prefix("refs/heads/"));
    // A new branch has nothing before it, and after a forced push that may be gone.
    let instead = default.filter(|default| branch != Some(default)).map(tracking);
    let bases: Vec<String> = before.into_iter().chain(instead).collect();
    Ok(job(title, bases, head.to_owned(), GITHUB_DEEPEN))
}

fn gitlab(here: &Surroundings<'_>) -> Option<Result<Job, Unclear>> {
    const DEEPEN: &str = "in .gitlab-ci.yml, write `variables: { GIT_DEPTH: 0 }`";
    here.is("GITLAB_CI").then(|| {
        let merge_base = here.commit("CI_MERGE_REQUEST_DIFF_BASE_SHA");
        let head = here
            .commit("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
            .or_else(|| here.commit("CI_COMMIT_SHA"))
            .ok_or_else(|| no_range("CI_COMMIT_SHA is not set"))?;
        if here.get("CI_MERGE_REQUEST_IID").is_some() {
            let target = here.commit("CI_MERGE_REQUEST_TARGET_BRANCH_SHA");
            let branch = here.get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME").map(|name| tracking(&name));
            let bases: Vec<String> = target.into_iter().chain(merge_base).chain(branch).collect();
            return some_base("GitLab CI, merge request", bases, head, DEEPEN);
        }
        let default = here.get("CI_DEFAULT_BRANCH");
        let is_default = here.get("CI_COMMIT_BRANCH") == default;
        let before = here.commit("CI_COMMIT_BEFORE_SHA");
        let instead = default.filter(|_| !is_default).map(|name| tracking(&name));
        some_base("GitLab CI, branch", before.into_iter().chain(instead).collect(), head, DEEPEN)
    })
}

fn some_base(title: &str, bases: Vec<String>, head: String, deepen: &str) -> Result<Job, Unclear> {
    if bases.is_empty() {
        return Err(no_range(format!("{title}: nothing says which commit was there before")));
    }
    Ok(job(title, bases, head, deepen))
}

fn bitbucket(here: &Surroundings<'_>) -> Option<Result<Job, Unclear>> {
    const DEEPEN: &str = "in bitbucket-pipelines.yml, write `clone: { depth: full }`";
    here.get("BITBUCKET_BUILD_NUMBER").map(|_| {
        let head = here.get("BITBUCKET_COMMIT").unwrap_or_else(|| "HEAD".to_owned());
        let target = here.get("BITBUCKET_PR_DESTINATION_BRANCH");
        if let Some(target) = target {
            let commit = here.commit("BITBUCKET_PR_DESTINATION_COMMIT");
            let bases = commit.into_iter().chain([tracking(&target)]).collect();
            return some_base("Bitbucket Pipelines, pull request", bases, head, DEEPEN);
        }
        let own = here.get("BITBUCKET_BRANCH");
        Ok(guessed("Bitbucket Pipelines, branch", own.as_deref(), USUAL, head, DEEPEN))
    })
}

fn azure(here: &Surroundings<'_>) -> Option<Result<Job, Unclear>> {
    const DEEPEN: &str = "in azure-pipelines.yml, write `- checkout: self` with `fetchDepth: 0`";
    here.is("TF_BUILD").then(|| {
        let version = here.get("BUILD_SOURCEVERSION").unwrap_or_else(|| "HEAD".to_owned());
        if let Some(target) = here.get("SYSTEM_PULLREQUEST_TARGETBRANCH") {
            let head = here.commit("SYSTEM_PULLREQUEST_SOURCECOMMITID").unwrap_or(version);
            return some_base("Azure Pipelines, pull request", vec![tracking(&target)], head, DEEPEN);
        }
        let own = here.get("BUILD_SOURCEBRANCH");
        Ok(guessed("Azure Pipelines, branch", own.as_deref(), USUAL, version, DEEPEN))
    })
}

fn circleci(here: &Surroundings<'_>) -> Option<Result<Job, Unclear>> {
    const DEEPEN: &str =
        "use the step `checkout` with `method: full`, or pass --base << pipeline.git.base_revision >>";
    here.is("CIRCLECI").then(|| {
        let head = here.get("CIRCLE_SHA1").unwrap_or_else(|| "HEAD".to_owned());
        let own = here.get("CIRCLE_BRANCH");
        Ok(guessed("CircleCI", own.as_deref(), USUAL, head, DEEPEN))
    })
}

fn buildkite(here: &Surroundings<'_>) -> Option<Result<Job, Unclear>> {
    const DEEPEN: &str = "leave `--depth` out of BUILDKITE_GIT_CLONE_FLAGS and BUILDKITE_GIT_FETCH_FLAGS";
    here.is("BUILDKITE").then(|| {
        let head = here.get("BUILDKITE_COMMIT").unwrap_or_else(|| "HEAD".to_owned());
        if let Some(target) = here.get("BUILDKITE_PULL_REQUEST_BASE_BRANCH") {
            return some_base("Buildkite, pull request", vec![tracking(&target)], head, DEEPEN);
        }
        let own = here.get("BUILDKITE_BRANCH");
        let default = here.get("BUILDKITE_PIPELINE_DEFAULT_BRANCH");
        let usual = default.as_deref().map_or_else(|| USUAL.to_vec(), |name| vec![name]);
        Ok(guessed("Buildkite, branch", own.as_deref(), &usual, head, DEEPEN))
    })
}

fn jenkins(here: &Surroundings<'_>) -> Option<Result<Job, Unclear>> {
    const DEEPEN: &str = "in the job, switch the git behaviour `Shallow clone` off";
    here.get("JENKINS_URL").map(|_| {
        let head = here.get("GIT_COMMIT").unwrap_or_else(|| "HEAD".to_owned());
        if let Some(target) = here.get("CHANGE_TARGET") {
            return some_base("Jenkins, change", vec![tracking(&target)], head, DEEPEN);
        }
        // The build before this one may have failed because of what it was to judge: only one that did not counts.
        if let Some(before) = here.commit("GIT_PREVIOUS_SUCCESSFUL_COMMIT") {
            return some_base("Jenkins, branch", vec![before], head, DEEPEN);
        }
        let own = here.get("BRANCH_NAME").or_else(|| here.get("GIT_BRANCH"));
        Ok(guessed("Jenkins, branch", own.as_deref(), USUAL, head, DEEPEN))
    })
}

#[cfg(test)]
mod tests {
    use super::{Surroundings, Unclear, recognise};

    /// Variables, the event, then the bases in order and the head; `None` where there is nothing to judge.
    type Case<'a> = (&'a [(&'a str, &'a str)], &'a str, Option<(&'a [&'a str], &'a str)>);

    const ZEROS: &str = "0000000000000000000000000000000000000000";

    fn judged(variables: &[(&str, &str)], event: &str) -> Result<super::Job, Unclear> {
        let find = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        recognise(&Surroundings { variable: &find, file: &|_| Ok(event.as_bytes().to_vec()) })
    }

    #[test]
    fn every_system_names_its_range() {
        let github =
            |event| [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", event), ("GITHUB_EVENT_PATH", "e")];
        let pull = r#"{"pull_request":{"base":{"sha":"aa"},"head":{"sha":"bb","repo":{"fork":true}}}}"#;
        let push =
            r#"{"before":"aa","after":"bb","ref":"refs/heads/x","repository":{"default_branch":"main"}}"#;
        let created = push.replace("\"aa\"", &format!("\"{ZEROS}\""));
        let first = created.replace("heads/x", "heads/main");
        let cases: &[Case<'_>] = &[
            (&[("PRE_COMMIT_FROM_REF", "aa"), ("PRE_COMMIT_TO_REF", "bb")], "", Some((&["aa"], "bb"))),
            (&github("pull_request"), pull, Some((&["aa"], "bb"))),
            (&github("pull_request_target"), pull, Some((&["aa"], "bb"))),
            (
                &github("merge_group"),
                r#"{"merge_group":{"base_sha":"aa","head_sha":"bb"}}"#,
                Some((&["aa"], "bb")),
            ),
            (&github("push"), push, Some((&["aa", "refs/remotes/origin/main"], "bb"))),
            (&github("push"), &created, Some((&["refs/remotes/origin/main"], "bb"))),
            (&github("push"), &first, Some((&[], "bb"))),
            (&github("push"), r#"{"deleted":true,"before":"aa","after":"0"}"#, None),
            (
                &[
                    ("GITLAB_CI", "true"),
                    ("CI_MERGE_REQUEST_IID", "1"),
                    ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "aa"),
                    ("CI_COMMIT_SHA", "bb"),
                ],
                "",
                Some((&["aa"], "bb")),
            ),
            (
                &[
                    ("GITLAB_CI", "true"),
                    ("CI_COMMIT_BEFORE_SHA", ZEROS),
                    ("CI_COMMIT_SHA", "bb"),
                    ("CI_COMMIT_BRANCH", "x"),
                    ("CI_DEFAULT_BRANCH", "main"),
                ],
                "",
                Some((&["refs/remotes/origin/main"], "bb")),
            ),
            (
                &[
                    ("BITBUCKET_BUILD_NUMBER", "7"),
                    ("BITBUCKET_PR_DESTINATION_BRANCH", "main"),
                    ("BITBUCKET_PR_DESTINATION_COMMIT", "aa"),
                    ("BITBUCKET_COMMIT", "bb"),
                ],
                "",
                Some((&["aa", "refs/remotes/origin/main"], "bb")),
            ),
            (
                &[
                    ("TF_BUILD", "True"),
                    ("SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main"),
                    ("SYSTEM_PULLREQUEST_SOURCECOMMITID", "bb"),
                ],
                "",
                Some((&["refs/remotes/origin/main"], "bb")),
            ),
            (
                &[("CIRCLECI", "true"), ("CIRCLE_SHA1", "bb"), ("CIRCLE_BRANCH", "main")],
                "",
                Some((&["refs/remotes/origin/HEAD", "refs/remotes/origin/master"], "bb")),
            ),
            (
                &[
                    ("BUILDKITE", "true"),
                    ("BUILDKITE_COMMIT", "bb"),
                    ("BUILDKITE_PULL_REQUEST_BASE_BRANCH", "main"),
                ],
                "",
                Some((&["refs/remotes/origin/main"], "bb")),
            ),
            (
                &[("JENKINS_URL", "u"), ("CHANGE_TARGET", "main")],
                "",
                Some((&["refs/remotes/origin/main"], "HEAD")),
            ),
            (
                &[("JENKINS_URL", "u"), ("GIT_COMMIT", "bb"), ("GIT_PREVIOUS_SUCCESSFUL_COMMIT", "aa")],
                "",
                Some((&["aa"], "bb")),
            ),
            (
                &[("JENKINS_URL", "u"), ("GIT_PREVIOUS_COMMIT", "aa"), ("GIT_BRANCH", "origin/main")],
                "",
                Some((&["refs/remotes/origin/HEAD", "refs/remotes/origin/master"], "HEAD")),
            ),
            (
                &[("TF_BUILD", "True"), ("BUILD_SOURCEBRANCH", "refs/heads/release/main")],
                "",
                Some((
                    &["refs/remotes/origin/HEAD", "refs/remotes/origin/main", "refs/remotes/origin/master"],
                    "HEAD",
                )),
            ),
            (
                &[
                    ("BUILDKITE", "true"),
                    ("BUILDKITE_BRANCH", "main"),
                    ("BUILDKITE_PIPELINE_DEFAULT_BRANCH", "main"),
                ],
                "",
                Some((&[], "HEAD")),
            ),
        ];
        for (variables, event, expected) in cases {
            let job = judged(variables, event).unwrap_or_else(|error| panic!("{variables:?}: {error:?}"));
            let found = job.selection.as_ref().map(|selection| {
                let bases: Vec<&str> = selection.bases.iter().map(String::as_str).collect();
                (bases, selection.heads[0].revision.as_str())
            });
            let expected = expected.map(|(bases, head)| (bases.to_vec(), head));
            assert_eq!(found, expected, "{variables:?} {event}");
        }
    }

    #[test]
    fn what_names_no_range_is_an_error() {
        assert_eq!(judged(&[], ""), Err(Unclear::NoSystem));
        let github =
            |event| [("GITHUB_ACTIONS", "true"), ("GITHUB_EVENT_NAME", event), ("GITHUB_EVENT_PATH", "e")];
        for (event, file) in [("schedule", "{}"), ("push", "{}"), ("pull_request", "{}"), ("push", "no JSON")]
        {
            let judged = judged(&github(event), file);
            assert!(matches!(judged, Err(Unclear::NoRange { .. })), "{event}: {judged:?}");
        }
    }
}
