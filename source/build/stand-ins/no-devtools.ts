/** In the place of Ink's connection to React's developer tools, which brings a WebSocket client. */
export {};
