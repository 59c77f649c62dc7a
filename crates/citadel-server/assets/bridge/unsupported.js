// Runs only in browsers without modules, in a web view or an old frame: says so, and tells a native host the same.
(function () {
  'use strict';
  function tell(event, payload) {
    var body = payload ? JSON.stringify(payload) : undefined;
    var ios = window.webkit && window.webkit.messageHandlers && window.webkit.messageHandlers.iosListener;
    var android = window.citadelInterface || window.truvInterface;
    var message = { event: event };
    if (payload) message.payload = payload;
    try {
      if (ios) ios.postMessage(message);
      else if (android && payload) android[event](body);
      else if (android) android[event]();
      else if (window.ReactNativeWebView) window.ReactNativeWebView.postMessage(JSON.stringify(message));
    } catch (error) {
      // A throwing app changes nothing here.
    }
  }
  function leave() {
    tell('onClose');
    var token = /[?&]bridge_token=([0-9a-f]{32})(&|$)/.exec(location.search);
    tell('onEvent', { event_type: 'CLOSE', payload: token ? { bridge_token: token[1] } : {} });
  }
  tell('onLoad');
  tell('onEvent', { event_type: 'LOAD' });
  tell('onEvent', { event_type: 'UNSUPPORTED_BROWSER' });
  window.bridge = { back: leave };
  var box = document.getElementById('bridge');
  var text = document.createElement('p');
  text.className = 'noscript';
  text.textContent = 'This browser is too old to sign in safely. Please update it, or use another one.';
  var button = document.createElement('button');
  button.type = 'button';
  button.textContent = 'Close';
  button.onclick = leave;
  box.appendChild(text);
  box.appendChild(button);
})();
