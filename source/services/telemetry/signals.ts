import type { Environment } from '../machine/environment.js';

/** What OpenTelemetry is sent, and what of its variables cannot be met. */
export interface Signals {
  readonly traces: boolean;
  readonly metrics: boolean;
  readonly logs: boolean;
  /** A sentence each. */
  readonly problems: readonly string[];
}

const names = ['traces', 'metrics', 'logs'] as const;

/** The protocol that is spoken; the standard's default. */
const protocol = 'http/protobuf';

/**
 * What the standard `OTEL_*` variables ask for. Without an exporter or an endpoint that is named nothing is sent: a
 * collector that nobody has set up would only be missed.
 */
export function wantedSignals(env: Environment): Signals {
  const value = (name: string) => env[name]?.trim() ?? '';
  const problems: string[] = [];
  const isOff = value('OTEL_SDK_DISABLED').toLowerCase() === 'true';
  const wanted = names.map((name): [string, boolean] => {
    const upper = name.toUpperCase();
    const exporter = value(`OTEL_${upper}_EXPORTER`);
    const specific = `OTEL_EXPORTER_OTLP_${upper}`;
    const endpoint = value(`${specific}_ENDPOINT`) || value('OTEL_EXPORTER_OTLP_ENDPOINT');
    if (isOff || exporter === 'none' || (exporter === '' && endpoint === '')) return [name, false];
    if (exporter !== '' && exporter !== 'otlp') {
      problems.push(`OTEL_${upper}_EXPORTER is ${exporter}, and only otlp is sent: no ${name}.`);
      return [name, false];
    }
    if (endpoint !== '' && !isHttp(endpoint)) {
      problems.push(
        `The endpoint of OpenTelemetry for ${name} is no http or https address: no ${name}.`,
      );
      return [name, false];
    }
    const spoken = value(`${specific}_PROTOCOL`) || value('OTEL_EXPORTER_OTLP_PROTOCOL');
    if (spoken !== '' && spoken !== protocol) {
      problems.push(
        `OTEL_EXPORTER_OTLP_PROTOCOL is ${spoken}, and only ${protocol} is spoken: no ${name}.`,
      );
      return [name, false];
    }
    return [name, true];
  });
  return { ...(Object.fromEntries(wanted) as Omit<Signals, 'problems'>), problems };
}

/** An address at which nothing can be sent would lead the exporter to one that nobody has named. */
function isHttp(address: string): boolean {
  return URL.canParse(address) && /^https?:$/.test(new URL(address).protocol);
}

/** Whether the texts that models are told and say may be sent. */
export function mayTellTexts(env: Environment): boolean {
  const value = env['OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT']?.trim().toLowerCase();
  return ['true', '1', 'span_only', 'span_and_event'].includes(value ?? '');
}

/** Variables that hold what a collector knows its clients by: no agent needs them. */
export function isCollectorSecret(name: string): boolean {
  return /^OTEL_EXPORTER_OTLP_(?:[A-Z]+_)?HEADERS$/.test(name);
}
