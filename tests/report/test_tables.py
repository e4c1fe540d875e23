import base64
import re

import numpy as np
import pandas as pd

from sklearn_ser.report import EvaluationRecord, write_report
from sklearn_ser.report._tables import missed_recordings


def test_missed_recordings_whose_names_are_not_utf8(make_speech, evaluate, tmp_path):
    speech, X = make_speech(("emodb", "urdu"), each=2)
    names = [f"{path[:-4]}\udce9.wav" for path in speech["path"]]
    speech["path"] = pd.Series(names, dtype=object)
    record = evaluate(speech, np.zeros_like(X), methods=("svm",))
    missed = missed_recordings(record)
    wrong = record.predictions.query("y_true != y_pred")
    assert missed["n"] == len(wrong) == 0.75 * len(speech)
    assert {row["path"] for row in missed["shown"]} <= set(wrong["path"])
    record.save(tmp_path)
    page = write_report(EvaluationRecord.load(tmp_path), tmp_path / "report.html")
    text = page.read_text(encoding="utf-8")
    csv = re.search(r'download="[^"]*missed\.csv" href="data:text/csv[^,]*,([^"]*)"', text)
    exported = base64.b64decode(csv[1]).decode()
    for row in missed["shown"]:
        spelled = row["path"].replace("\udce9", r"\udce9")
        assert spelled in text
        assert spelled in exported
