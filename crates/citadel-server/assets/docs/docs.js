// Mounts the API reference. Everything that would leave this host is switched off here; the page's
// Content-Security-Policy (`connect-src 'self'`) is the second fence.
"use strict";

window.Scalar.createApiReference("#reference", {
  url: "/openapi.json",
  // "Try it" speaks to the server that the page came from, whatever name it was reached by.
  servers: [{ url: window.location.origin }],
  withDefaultFonts: false,
  telemetry: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  // Opens the document in the vendor's hosted client.
  hideClientButton: true,
  showDeveloperTools: "never",
  // Secrets typed into "Try it" are gone when the tab is closed.
  persistAuth: false,
});
