import { useEffect, useLayoutEffect, useRef, useState } from 'react';
import { useDialogs } from './components/dialogs.js';
import type { WizardPort } from './ports.js';
import type { Wizard } from './wizard.js';

/** How long typing rests before the draft is written, milliseconds. */
const keepMs = 300;

/** Offers the draft that was left the last time, and keeps this one. @returns keeps it now; false where that failed */
export function useKeptDraft(port: WizardPort, wizard: Wizard, hasRun: boolean): () => boolean {
  const dialogs = useDialogs();
  const [kept] = useState(() =>
    port.change === '' && port.given === null && !hasRun ? port.keptDraft() : null,
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked once
  useEffect(() => {
    if (kept === null) return;
    const [first = ''] = kept.change.trim().split('\n', 1);
    const parts = [
      ...(kept.prd === '' ? [] : ['its PRD']),
      ...(kept.tasks.length === 0
        ? []
        : [kept.tasks.length === 1 ? '1 group' : `${kept.tasks.length} groups`]),
    ];
    const what =
      parts.length === 0
        ? 'The change you typed is here'
        : `The change with ${parts.join(' and ')} is here`;
    dialogs.open({
      kind: 'choose',
      title: 'Continue where you left off?',
      lines: [`${what}: ${first}`],
      items: ['Continue with it', 'Start with an empty change'],
      onDone: (index) => (index === 0 ? wizard.takeKept(kept) : port.keepDraft(null)),
    });
  }, []);
  const latest = useRef(wizard);
  latest.current = wizard;
  const keep = () => {
    const { change, draft, draftChange, maxAgents } = latest.current;
    // Nothing has been typed yet: what was left the last time stays.
    if (change.text.trim() === '' && draft === null) return true;
    return port.keepDraft({
      change: change.text,
      prd: draft?.prd ?? '',
      tasks: draft?.tasks ?? [],
      model: draft?.model ?? null,
      draftChange,
      maxAgents,
    });
  };
  const isRun = useRef(hasRun);
  const wasRun = useRef(hasRun);
  isRun.current = hasRun;
  // biome-ignore lint/correctness/useExhaustiveDependencies: as a run is started
  useEffect(() => {
    // From here on the run's own records keep it; what was still to be written is not written any more.
    if (hasRun && !wasRun.current) port.keepDraft(null);
    wasRun.current = hasRun;
  }, [hasRun]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: as the screen is closed, in whatever way
  useLayoutEffect(
    () => () => {
      // A run's own records keep it from its start on.
      if (!isRun.current) keep();
    },
    [],
  );
  const { change, draft, maxAgents } = wizard;
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever one of these has changed
  useEffect(() => {
    if (hasRun) return;
    const timer = setTimeout(keep, keepMs);
    return () => clearTimeout(timer);
  }, [change.text, draft, maxAgents, hasRun]);
  return keep;
}
