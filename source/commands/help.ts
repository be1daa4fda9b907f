/** `--help`: examples first. */
export const helpText = `
Examples
  $ aider-orchestrator                                   opens the screen
  $ aider-orchestrator --change "Add a dark mode"         opens it with the change
  $ aider-orchestrator --change "Fix the parser" --files src/parser --max-agents 2 --yes
  $ git log -1 --format=%b | aider-orchestrator --change - --headless --json
  $ aider-orchestrator --change "Split utils" --dry-run > plan.json
  $ aider-orchestrator --change "Split utils" --plan plan.json --yes
  $ aider-orchestrator demo                              see it work, without a key

Usage
  $ aider-orchestrator [flags] [-- more arguments for aider]
  $ aider-orchestrator SUBCOMMAND

The change
  --change TEXT         the change to implement; - reads it from standard input
  --files FILE...       files, folders and globs to focus on (default: all files)
  --prd FILE            use this PRD;   --no-prd   use none
  --plan FILE           run this plan (JSON; --dry-run prints one)
  --dry-run             make PRD and plan, save the PRD, print the plan, run no agent

Agents
  --max-agents N        most agents at once (default: CPU count)
  --max-iterations N    most iterations per agent (default: 10)
  --timeout MINUTES     wall clock per agent (default: 30)
  --model NAME          Aider's model (default: gpt-4o);   --claude   a Claude model
  --aider PATH          which Aider
  --agent-cmd CMD       run CMD for each agent instead of Aider: any program that edits files; it
                        finds its prompt in $AGENT_PROMPT_FILE, its files in $AGENT_FILES
  --budget USD          what the agents may cost: a warning at 80 %, then no more messages
  --direct              agents reach the provider by themselves: no common rate limit
  --no-warm             start each Aider anew, instead of forking it from one loaded once
  --setup-cmd CMD       run in each worktree before its agent, such as "npm ci"
  --copy GLOB...        ignored files to copy into each worktree, such as .env.test

Tests
  --test-cmd CMD        the project's tests, such as "npm test": run on the base, on each
                        agent's work and on what is merged; red work goes back to its agent
                        (default: test-cmd of .aider.conf.yml)
  --no-test             land untested
  --test-timeout MIN    the longest one run of the tests may take (default: 10)
  --review              a reviewer reads each agent's diff against the PRD, in the end the whole
  --review-model NAME   by a model of Aider's instead of the Gemini model
  --test-report GLOB    JUnit XML reports that they write; known runners are asked for one
  --red-base HOW        when they fail on the base: stop, fix (what lands has to be green, and
                        no test that passed may fail), report (they are only reported);
                        default: stop, on the screen you are asked
  --allow-red-base      the same as --red-base report

PRD
  --gemini-model NAME   model for the PRD (default: gemini-1.5-pro)
  --api-key KEY         Google API key; better set GEMINI_API_KEY, or give - and pipe it in

Result
  --land all|any|ask|none
                        bring the work onto the current branch when all agents
                        succeeded (default), when any did, after your look, or never
  --headless            no screen, plain lines (as with -y, -q, -v and --dry-run)
  --json                NDJSON events on standard output
  -q, --quiet  -v, --verbose  -y, --yes (no questions)
  --repo DIR            the repository (default: the one around the working folder)
  --trust               trust the repository's settings file without asking

Subcommands
  demo                  the whole job in a sample repository, with a scripted model
  doctor [--json]       check what a run needs, and say how to fix what is missing
  setup                 install Aider into a folder of its own
  runs                  earlier runs in this repository
  show [RUN] [AGENT]    one run's table; with an agent (0, 1, ...) its diff and log
  land [RUN]            bring a finished run's work onto the current branch
  undo [RUN]            take a landing back, exactly
  clean [--dead RUN]    remove the worktrees and branches that old runs left; --dead takes a
                        run on another machine or in another container for dead
  completion SHELL      bash, zsh or fish

Exit codes
  0 all succeeded and landed (or was asked not to)   1 something failed
  2 wrong use, or a prerequisite is missing          130, 143, 129 INT, TERM, HUP

On Windows, use it inside WSL (Windows Subsystem for Linux).
`;
