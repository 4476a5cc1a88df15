/** Demonstration profile only: a press on an account fills the form in. */
const accounts = document.querySelector("[data-demo-password]");

accounts?.addEventListener("click", (event) => {
  const button = event.target.closest("[data-demo-user]");
  if (!button) return;
  const form = document.getElementById("login-form");
  form.elements.username.value = button.dataset.demoUser;
  form.elements.password.value = accounts.dataset.demoPassword;
  form.querySelector('button[type="submit"]').focus();
});
