/** The module that its package keeps to itself. */
declare module 'original-yoga-binary' {
  export default function loadYoga(): Promise<unknown>;
}
