# Every command is a command of dev.py, which works without make. Arguments: make test ARGS="tests/unit -k mask"
PYTHON ?= python3
COMMANDS = demo test lint check snapshots snapshots-update bench fuzz host-full layers-full checks-full consoles-full soak cluster-full console-cluster api-full dev-table wheel dist lock

.PHONY: help $(COMMANDS)
help:
	@$(PYTHON) dev.py help

$(COMMANDS):
	@$(PYTHON) dev.py $@ $(ARGS)
