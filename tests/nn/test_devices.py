import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_ser.nn._devices import (
    as_tensor,
    build_module,
    one_thread,
    resolve_device,
    seeds_of_run,
)

CPU = torch.device("cpu")


class TestDevice:
    def test_auto_takes_a_gpu_only_where_there_is_one(self):
        expected = "cuda" if torch.cuda.is_available() else "cpu"
        assert resolve_device("auto").type == expected
        assert resolve_device("cpu") == CPU

    @pytest.mark.parametrize("name", ["gpu", "CPU", "", "cuda:x"])
    def test_a_name_that_torch_does_not_know(self, name):
        with pytest.raises(ValueError, match=f"device must be 'cpu', 'auto'.*got '{name}'"):
            resolve_device(name)

    def test_a_device_that_is_not_there(self):
        with pytest.raises(RuntimeError, match=r"'cuda:99' is not available.*device='auto'"):
            resolve_device("cuda:99")


class TestThreads:
    @pytest.fixture(autouse=True)
    def _three_threads(self):
        before = torch.get_num_threads()
        torch.set_num_threads(3)
        yield
        torch.set_num_threads(before)

    def test_one_inside_and_as_before_outside(self):
        with one_thread(CPU):
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3

    def test_as_before_after_an_error(self):
        with pytest.raises(KeyError), one_thread(CPU):
            raise KeyError
        assert torch.get_num_threads() == 3

    def test_it_may_be_entered_twice(self):
        with one_thread(CPU):
            with one_thread(CPU):
                assert torch.get_num_threads() == 1
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 3

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["in order", "reversed"])
    @pytest.mark.parametrize("outside", ["both", "first", "second"])
    def test_trainings_that_overlap_in_threads(self, order, outside):
        """Each in a thread of its own, or one of them in a thread that is older than both."""
        inside = [threading.Event(), threading.Event()]
        leave = [threading.Event(), threading.Event()]
        numbers = {}

        def train(i):
            with one_thread(CPU):
                numbers["inside", i] = torch.get_num_threads()
                inside[i].set()
                assert leave[i].wait(60)
                numbers["still inside", i] = torch.get_num_threads()
            numbers["after", i] = torch.get_num_threads()

        pools = [ThreadPoolExecutor(1), ThreadPoolExecutor(1)]
        for i, pool in enumerate(pools):
            if outside in ("both", ("first", "second")[i]):
                # The thread has a number of its own before any training.
                assert pool.submit(torch.get_num_threads).result() == 3
        futures = []
        for i, pool in enumerate(pools):
            futures.append(pool.submit(train, i))
            assert inside[i].wait(60)
        for i in order:
            leave[i].set()
            futures[i].result()
        assert set(numbers.values()) == {1, 3}
        assert all((number == 3) == (when == "after") for (when, _), number in numbers.items())
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(torch.get_num_threads).result() == 3
        assert torch.get_num_threads() == 3
        for pool in pools:
            assert pool.submit(torch.get_num_threads).result() == 3
            pool.shutdown()

    def test_other_devices_are_left_alone(self):
        with one_thread(torch.device("cuda")):
            assert torch.get_num_threads() == 3


class TestSeeds:
    def test_all_differ_between_uses_runs_and_epochs(self):
        seeds = [*seeds_of_run(0, 0), *seeds_of_run(0, 1), *seeds_of_run(1, 0)]
        assert len(set(seeds)) == 12
        assert seeds_of_run(7, 3) == seeds_of_run(7, 3)

    def test_a_module_repeats_and_leaves_the_global_generator_alone(self):
        before = torch.get_rng_state()
        first, second, third = (
            build_module(lambda: nn.Linear(3, 2), seed).weight for seed in (5, 5, 6)
        )
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(first, second)
        assert not torch.equal(first, third)

    def test_a_module_is_float32_on_the_cpu_whatever_the_defaults(self):
        torch.set_default_dtype(torch.float64)
        try:
            with torch.device("meta"):
                weight = build_module(lambda: nn.Linear(3, 2), 0).weight
        finally:
            torch.set_default_dtype(torch.float32)
        assert weight.dtype == torch.float32
        assert weight.device == CPU


class TestTensors:
    def test_memory_is_shared(self):
        X = np.zeros((3, 2), dtype=np.float32)
        as_tensor(X, CPU)[0, 0] = 7
        assert X[0, 0] == 7

    def test_a_read_only_array_is_copied_without_a_warning(self):
        X = np.zeros((3, 2), dtype=np.float32)
        X.flags.writeable = False
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            as_tensor(X, CPU)[0, 0] = 7
        assert X[0, 0] == 0
