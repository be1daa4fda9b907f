import type { WizardPort } from '../../app/ports.js';
import { faultOfError } from '../../core/policy/machine-fault.js';
import { err, ok } from '../../core/result.js';
import { pagesFolder } from '../../services/config/folders.js';
import { hasCode, unreadable } from '../../services/files/private-files.js';
import { environment } from '../../services/machine/environment.js';
import type { Session } from './session.js';

/** The address can be opened by hand where no file can be written that leads a browser there. */
function nullWhereFaulty(error: unknown): null {
  if (faultOfError(error) === null && !hasCode(error, ...unreadable)) throw error;
  return null;
}

/** The page of the run on this screen: there until the screen is left. */
export function pagePort(session: Session): Pick<WizardPort, 'openPage' | 'wantsPage'> {
  return {
    wantsPage: session.args.flags.web === true,
    openPage: async () => {
      const config = session.held?.port.state().config;
      if (!config) return err({ kind: 'usage', message: 'There is no run yet.' });
      const { findRun } = await import('../host/reach-run.js');
      const { openBrowser } = await import('../../services/machine/open-browser.js');
      const [server, run] = await Promise.all([
        session.pageServer(),
        findRun({ run: config.stamp, repo: config.repo }),
      ]);
      if (!server.ok) return server;
      if (!run.ok) return run;
      // The screen was left meanwhile.
      if (session.isClosed) return err({ kind: 'usage', message: 'The screen was left.' });
      const acts = session.args.flags.readOnly !== true;
      const address = server.value.address(acts, run.value);
      const asked = await openBrowser(address, pagesFolder()).catch(nullWhereFaulty);
      if (asked) session.onClose(asked.forget);
      const isRemote = Boolean(environment()['SSH_CONNECTION']);
      return ok({
        address,
        acts,
        isAsked: asked !== null,
        port: isRemote ? server.value.port : null,
      });
    },
  };
}
