import pickle
import threading

import pytest
from sklearn.utils.parallel import delayed

from sklearn_ser.utils._advice import advice, advising, carrying_advice, in_python


def remedy(name):
    return advice(f"Pass {name}=1.", f"Pass --{name} 1.")


def test_whoever_reads_gets_advice_in_known_words():
    assert remedy("jobs") == "Pass jobs=1."
    with advising(to_shell=True):
        assert remedy("jobs") == "Pass --jobs 1."
        with advising(to_shell=False):
            assert remedy("jobs") == "Pass jobs=1."
        assert in_python("Lower beta.") == "Use another --method, or do this in Python: Lower beta."
    assert remedy("jobs") == "Pass jobs=1."
    assert in_python("Lower beta.") == "Lower beta."


@pytest.mark.filterwarnings("ignore:`sklearn.utils.parallel.delayed` should be used")
def test_workers_use_the_words_of_the_process_that_sent_them():
    with advising(to_shell=True):
        sent = pickle.dumps(carrying_advice(remedy))
        # As scikit-learn wraps it, which takes over attributes of the function.
        wrapped, args, _ = delayed(carrying_advice(remedy))("jobs")
    found = []
    thread = threading.Thread(target=lambda: found.append(pickle.loads(sent)("jobs")))
    thread.start()
    thread.join()
    assert found == ["Pass --jobs 1."]
    assert wrapped(*args) == "Pass --jobs 1."
    assert carrying_advice(remedy) is remedy
