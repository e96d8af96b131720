# Everything runs through sandbox.toolchain, which installs or builds what is missing into a cache outside this checkout.
PYTHON ?= python3
PRODUCT ?= 3.x
PLATFORM ?= openshift
RUN = $(PYTHON) -m sandbox.toolchain

.PHONY: help demo sandbox sandbox-stop sandbox-upgrade test test-changed test-matrix lint unit integration generations campaign bench changelog docs

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 28

demo: ## start the sandbox, and create a first registry on it
	@$(RUN) python -m sandbox.demo

sandbox: ## start a cluster on this machine (PRODUCT=3.x|3.6|2.25|2.21 PLATFORM=openshift|kubernetes)
	@$(RUN) python -m sandbox up --product $(PRODUCT) --platform $(PLATFORM)

sandbox-stop: ## stop the sandbox and all of its processes
	@$(RUN) python -m sandbox down

sandbox-upgrade: ## install another PRODUCT over a running sandbox
	@$(RUN) python -m sandbox upgrade $(PRODUCT)

test: ## all checks: lint, sanity, unit and integration tests
	@$(RUN) python tests/run.py

test-changed: ## for development: quick checks, and the tests that concern what was changed since main (SINCE=another branch)
	@$(RUN) python tests/run.py changed $(or $(SINCE),main)

test-matrix: ## every ansible-core with every Python of this machine, and the certification tools (half an hour)
	@$(RUN) python tests/matrix.py

lint: ## only the static checks
	@$(RUN) python tests/run.py lint

unit: ## only the unit tests
	@$(RUN) python tests/run.py unit

integration: ## only the integration tests, on the sandbox
	@$(RUN) python tests/run.py integration

generations: ## only the tests of older products, plain Kubernetes and the sandbox's own life
	@$(RUN) python tests/run.py generations

campaign: ## run many cases of one kind of problem (NAME=options SEED=1 CASES=500 ONLY='case 17'; without NAME all, for hours)
	@$(RUN) python -m tests.campaigns $(NAME) $(if $(SEED),--seed $(SEED)) $(if $(CASES),--cases $(CASES)) $(if $(ONLY),--only '$(ONLY)')

bench: ## measure the collection in comparison with alternatives
	@$(RUN) python bench/run.py

changelog: ## generate CHANGELOG.md from the fragments, for the version in galaxy.yml
	@$(RUN) python tests/changelog.py

docs: ## build the site into docs/build/html
	@$(RUN) python docs/build.py
