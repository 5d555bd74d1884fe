namespace Ashlar.CommandLine;

/// <summary>Addresses of customers, users, keys and storage nodes in the API.</summary>
static class CustomerApi
{
    public const string Customers = "/v1/customers", Nodes = "/v1/file-nodes";

    public static string Customer(string customer) => $"{Customers}/{Uri.EscapeDataString(customer)}";

    public static string Users(string customer) => $"{Customer(customer)}/users";

    public static string User(string customer, string user) => $"{Users(customer)}/{Uri.EscapeDataString(user)}";

    public static string Keys(string customer, string user) => $"{User(customer, user)}/keys";

    public static string Node(string node) => $"{Nodes}/{Uri.EscapeDataString(node)}";
}
