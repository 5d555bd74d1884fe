using System.CommandLine;

namespace Ashlar.CommandLine;

/// <summary>What commands about customers and users take.</summary>
static class CustomerArguments
{
    public static Argument<string> Customer() => new("CUSTOMER") { Description = "The customer" };

    public static Argument<string> NewCustomer() => new("NAME") { Description = "Its name: 1 to 64 of a-z, 0-9, '.', '_' and '-'" };

    public static Argument<string> User() => new("USER") { Description = "The user" };

    public static Option<string> Owner(Terminal terminal) => Setting.Create(
        terminal, "--customer", "CUSTOMER", "The customer [default: main]", static text => text, FileOptions.MainName,
        isInEnvironment: true);

    /// <summary>A quota; 0 and "none" lift it.</summary>
    public static Option<long?> QuotaBytes(Terminal terminal) => Setting.Create<long?>(
        terminal, "--quota", "SIZE", "Most bytes of its files, each counted by itself; none for no limit",
        static text => text == "none" ? 0 : ByteSize.Parse(text), null);

    public static Option<long?> QuotaFiles(Terminal terminal) => Setting.Create<long?>(
        terminal, "--quota-files", "COUNT", "Most files; none for no limit", ParseCount, null);

    static long? ParseCount(string text) => text == "none" ? 0
        : long.TryParse(text, out var count) && count >= 0 ? count
        : throw new FormatException($"'{text}' is not a number of files");
}
