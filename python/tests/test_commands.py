"""The command in the wheel, Ctrl-C, and memory over many calls."""

import os
import resource
import subprocess
import sys
import textwrap

import pytest

import fhectl


def python(program, **options):
    return subprocess.run([sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, timeout=300, **options)


def test_the_command_line_is_in_the_package(tmp_path):
    told = subprocess.run([sys.executable, "-m", "fhectl", "--version"], capture_output=True, text=True)
    assert told.returncode == 0 and fhectl.__version__ in told.stdout
    told = subprocess.run([sys.executable, "-m", "fhectl", "models"], capture_output=True, text=True, cwd=tmp_path)
    assert "tree-spam" in told.stdout
    told = subprocess.run([sys.executable, "-m", "fhectl", "inspect", "nothing"], capture_output=True, text=True)
    assert told.returncode == 1 and "error[model_unknown]" in told.stderr


def test_importing_takes_nothing_but_numpy():
    program = """
        import sys
        before = set(sys.modules)
        import fhectl
        wanted = {name.split(".")[0] for name in set(sys.modules) - before}
        assert not wanted & {"sklearn", "pandas", "torch", "onnx", "skl2onnx", "tqdm", "scipy", "xgboost"}, wanted
    """
    told = python(program)
    assert told.returncode == 0, told.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ctrl_c_ends_a_long_call(network_folder):
    program = """
        import pathlib, threading, time, os, signal, sys
        import numpy as np, fhectl
        # A program that was started in the background, as by a script, inherits that Ctrl-C is ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        model = fhectl.load(sys.argv[1])
        rows = np.zeros((100_000, model.n_features_in_))
        threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        start = time.time()
        try:
            model.predict(rows, fhe="execute")
        except KeyboardInterrupt:
            print("interrupted", time.time() - start < 10)
    """
    told = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), network_folder], capture_output=True, text=True, timeout=120
    )
    assert told.stdout.strip() == "interrupted True", told.stderr


def test_a_full_disk_while_a_model_is_made(tmp_path):
    """The size of files is limited, which fails as a full disk does."""
    program = """
        import resource, signal, numpy as np
        import fhectl
        from fhectl._compile import create
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            create(["tree"], (np.random.rand(5000, 10), np.arange(5000) % 2), "same", folder=".", name="m")
        except OSError as error:
            print(error.code)
    """
    told = python(program, cwd=tmp_path)
    assert told.stdout.strip() == "output_unwritable", told.stderr


def test_many_calls_leak_no_memory(tree, spam):
    X = spam[1][:4]
    with tree.serve() as server:
        client = fhectl.Client(server.url, "tree-spam")

        def run(calls):
            for _ in range(calls):
                client.predict(X)
                tree.predict(X)
                client.decrypt(client.send(client.encrypt(X)))
            return rss()

        run(200)
        before = run(100)
        after = run(1000)
    assert after - before < 8 << 20, f"{(after - before) / 1024:.0f} KiB more"


def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
