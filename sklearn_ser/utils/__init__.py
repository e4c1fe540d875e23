"""What several packages share and none of them is about; imports nothing heavy."""
