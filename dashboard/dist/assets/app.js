document.querySelector("#app").textContent="perennial";
