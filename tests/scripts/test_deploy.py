"""Tests of scripts/deploy: real tools check each file; where a tool cannot be installed, a parser and a schema do."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from provisioner.baseline import load
from provisioner.permissions import MANAGED_POLICY, size
from provisioner.repair.watched import MAX_PATTERN
from provisioner.steps.registry import all_sections

from .conftest import ROOT, SCRIPTS
from .test_schedulers import assert_valid_command

DEPLOY = SCRIPTS / "deploy"
FILE = ROOT / "provisioner" / "profiles" / "full.yaml"
WORKFLOW = yaml.load((DEPLOY / "github-actions.yaml").read_text(), yaml.BaseLoader)
NOT_NEEDED = {"actionlint"}  # it is no package of Python: another test checks the workflow in any case


def check(tool: str, *arguments: str | Path) -> None:
    """Run a tool of this environment, or of the path; it must find nothing."""
    program = shutil.which(tool, path=str(Path(sys.executable).parent)) or shutil.which(tool)
    if program is None and tool in NOT_NEEDED:
        pytest.skip(f"{tool} is not installed")
    assert program is not None, f"{tool} is a package of `.[dev]`"
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The templates for the full file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(SCRIPTS))
        from deploy.templates import events_template, repair_template
    baseline, folder = load(FILE, all_sections(), {}), tmp_path_factory.mktemp("templates")
    found = {}
    for name, make in (("repair", repair_template), ("events", events_template)):
        found[name] = folder / f"{name}.template.json"
        found[name].write_text(json.dumps(make(baseline, "123456789012", "aws")))
    return found


def test_cloudformation_templates(templates: dict[str, Path]) -> None:
    check("cfn-lint", "--non-zero-exit-code", "informational", *templates.values())


def test_the_role_has_the_policies_of_the_file_and_nothing_more(templates: dict[str, Path]) -> None:
    resources = json.loads(templates["repair"].read_text())["Resources"]
    policies = {name: each for name, each in resources.items() if each["Type"] == "AWS::IAM::ManagedPolicy"}
    attached = resources["Role"]["Properties"]["ManagedPolicyArns"]
    assert attached == [{"Ref": name} for name in policies]
    assert len(policies) <= 10, "a role has at most ten managed policies"
    assert all(size(each["Properties"]["PolicyDocument"]) <= MANAGED_POLICY for each in policies.values())
    named = {
        action
        for each in policies.values()
        for statement in each["Properties"]["PolicyDocument"]["Statement"]
        for action in statement["Action"]
    }
    assert {"ssm:GetParameter", "cloudtrail:LookupEvents"} <= named, "a repair sees a pause, and who did it"
    own = resources["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert all("*" not in json.dumps(each) for each in own)


def test_event_patterns_are_short_enough_and_only_of_aws(templates: dict[str, Path]) -> None:
    rules = [
        each["Properties"]["EventPattern"]
        for each in json.loads(templates["events"].read_text())["Resources"].values()
        if each["Type"] == "AWS::Events::Rule"
    ]
    assert len(rules) >= 2
    assert all(
        len(json.dumps(each)) <= MAX_PATTERN and each["source"] == [{"prefix": "aws."}] for each in rules
    )


def test_the_zip_file_is_the_same_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    from deploy.pack import pack

    code = tmp_path / "code"
    (code / "provisioner" / "__pycache__").mkdir(parents=True)
    (code / "provisioner" / "__init__.py").write_text("x = 1\n")
    (code / "provisioner" / "__pycache__" / "x.pyc").write_text("")
    made = []
    for name in ("a.zip", "b.zip"):
        pack(code, FILE, tmp_path / name)
        made.append((tmp_path / name).read_bytes())
        (code / "provisioner" / "__init__.py").touch()
    assert made[0] == made[1]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.namelist() == ["baseline.yaml", "provisioner/__init__.py"]
        assert {each.external_attr >> 16 for each in archive.infolist()} == {0o644}


def test_shell_scripts() -> None:
    check("sh", "-n", SCRIPTS / "build-lambda")
    check("shellcheck", SCRIPTS / "build-lambda")


def test_kubernetes_objects() -> None:
    check("kubernetes-validate", "--strict", DEPLOY / "cronjob.yaml")


def test_the_cron_job_is_restricted() -> None:
    [job] = [each for each in objects() if each["kind"] == "CronJob"]
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    pod = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {each["name"] for each in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}
    user = re.search(r"^USER (\d+):(\d+)$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    assert user
    assert [int(each) for each in user.groups()] == [
        pod["securityContext"]["runAsUser"],
        pod["securityContext"]["runAsGroup"],
    ]


def test_the_command_lines_are_valid(tmp_path: Path) -> None:
    [job] = [each for each in objects() if each["kind"] == "CronJob"]
    [container] = job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert_valid_command(["provision", *container["args"]], tmp_path)
    compare = "provision diff baseline.yaml --json -o md=plan/plan.md"
    apply = 'provision apply baseline.yaml --yes --expect-plan "$(cat digest)"'
    assert all(any(line in step.get("run", "") for _, step in steps()) for line in (compare, apply))
    digest = f"sha256:{'0' * 64}"
    for line in (
        compare.replace("plan/plan.md", f"{tmp_path}/plan.md"),
        apply.replace("$(cat digest)", digest),
    ):
        words = shlex.split(line)
        assert_valid_command(
            [each.replace("baseline.yaml", str(ROOT / "baseline.yaml")) for each in words], tmp_path
        )


def objects() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / "cronjob.yaml").read_text()))


def test_container_image() -> None:
    check("hadolint", DEPLOY / "Containerfile")


def test_every_base_image_is_pinned_by_its_digest() -> None:
    lines = (DEPLOY / "Containerfile").read_text().splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert len(bases) == 2
    assert all(each.endswith("@${PYTHON_DIGEST}") for each in bases)
    assert not [line for line in lines if line.startswith(("ADD ", "RUN curl"))]


def test_workflow() -> None:
    schema = "vendor.github-workflows"
    check("check-jsonschema", "--builtin-schema", schema, DEPLOY / "github-actions.yaml")
    check("zizmor", "--offline", "--no-progress", "--persona=auditor", DEPLOY / "github-actions.yaml")


def test_actionlint_accepts_the_workflow() -> None:
    check("actionlint", DEPLOY / "github-actions.yaml")


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in WORKFLOW["jobs"].items():
        for step in job["steps"]:
            yield name, step


def test_nothing_of_a_pull_request_is_part_of_a_script() -> None:
    assert [step["run"] for _, step in steps() if "${{" in step.get("run", "")] == []


def test_only_jobs_of_this_repository_get_credentials() -> None:
    assert set(WORKFLOW["on"]) == {"pull_request", "push"}, "never pull_request_target"
    assert WORKFLOW["permissions"] == {}
    jobs = WORKFLOW["jobs"]
    with_token = {name for name, job in jobs.items() if "id-token" in job["permissions"]}
    assert with_token == {"plan", "apply"}
    assert "head.repo.full_name == github.repository" in jobs["plan"]["if"]
    assert (jobs["apply"]["if"], jobs["apply"]["environment"]) == (
        "github.event_name == 'push'",
        "production",
    )
    assert "pull-requests" not in jobs["plan"]["permissions"], "who has the credentials cannot comment"


def test_actions_are_pinned_and_the_digest_is_checked_before_it_is_used() -> None:
    used = [step["uses"] for _, step in steps() if "uses" in step]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", each) for each in used)
    digests = [step["run"] for name, step in steps() if name == "apply" and "digest" in step.get("run", "")]
    assert "grep -Ex 'sha256:[0-9a-f]{64}'" in digests[0]
    assert digests[-1] == 'provision apply baseline.yaml --yes --expect-plan "$(cat digest)"'


@pytest.mark.parametrize("path", sorted(each for each in DEPLOY.iterdir() if each.is_file()))
def test_no_file_names_a_registry_or_a_path_of_one_machine(path: Path) -> None:
    named = re.findall(
        r"docker\.io|ghcr\.io|quay\.io|pypi\.org|public\.ecr\.aws|/root/|/home/\w", path.read_text()
    )
    assert named == []
