"""`make lab`: a chapter runs as JupyterLab runs it, and one click opens it as a notebook."""

import json
import os
import subprocess
import tomllib

import jupytext
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from cdpbook.notebooks import sources
from cdplib.storage import paths

SETTINGS = paths.ROOT / ".ci/jupyter/labconfig/default_setting_overrides.json"


def run(notebook):
    """``notebook`` executed by the kernel that Jupyter knows, in the folder of the chapters."""
    client = NotebookClient(
        notebook,
        kernel_name=notebook.metadata["kernelspec"]["name"],
        resources={"metadata": {"path": str(paths.BOOK)}},
        timeout=300,
    )
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT)}
    environment.pop("MPLBACKEND", None)  # as where nobody tests
    return client.execute(env=environment)


def test_a_chapter_runs_in_the_folder_of_the_chapters():
    notebook = run(jupytext.read(sources.find("01_formulation").path))
    code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source]
    assert all(cell.execution_count for cell in code)
    said = json.dumps([cell.outputs for cell in code])
    assert "D = " in said
    assert "image/png" in said  # figures are drawn in the page
    notebook = jupytext.reads("# %%\nimport os, cdpbook\nos.getcwd()\n", fmt="py:percent")
    notebook.metadata["kernelspec"] = dict(sources.KERNEL)
    assert run(notebook).cells[0].outputs[0].data["text/plain"] == repr(str(paths.BOOK))
    notebook.cells[0].source = "import cdpbook.nothing"
    with pytest.raises(CellExecutionError, match="ModuleNotFoundError"):
        run(notebook)


def test_a_click_opens_what_jupytext_calls_its_notebook_and_the_settings_are_of_this_run():
    settings = json.loads(SETTINGS.read_text())
    viewers = settings["@jupyterlab/docmanager-extension:plugin"]
    assert viewers["autosave"] is False  # a chapter that was only read stays as it is
    assert settings["@jupyterlab/filebrowser-extension:browser"]["singleClickNavigation"]
    from jupytext_config.labconfig import LabConfig

    own = LabConfig(settings_file="nowhere").set_default_viewers(["python", "markdown"])
    assert viewers["defaultViewers"] == dict(own.get_viewers())
    script = paths.ROOT / ".ci/lab"
    subprocess.run(["sh", "-n", script], check=True)
    assert "JUPYTER_CONFIG_PATH" in script.read_text()


def test_the_extra_pins_what_was_tried():
    project = tomllib.loads((paths.ROOT / "pyproject.toml").read_text())["project"]
    lab = project["optional-dependencies"]["lab"]
    assert [line.partition("==")[0] for line in lab] == ["jupyterlab", "jupyterlab-myst"]
    assert all(line.partition("==")[2] for line in lab)
