using System.CommandLine;
using System.Globalization;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar pool set</c>.</summary>
static class PoolSetCommand
{
    public static Verb Create(Terminal terminal)
    {
        var name = PathArgument.Pool(isRequired: true);
        var soft = Setting.Create<int?>(
            terminal, "--warn-at", "PERCENT", "How full the pool is when it is said for the first time [default: 80]", ParsePercent, null);
        var hard = Setting.Create<int?>(
            terminal, "--warn-again-at", "PERCENT", "How full the pool is when it is said again [default: 90]", ParsePercent, null);
        return new Verb(
            "set",
            "Set when a pool says that its space gets short",
            ["ashlar pool set main --warn-at 70", "ashlar pool set main --warn-at 60 --warn-again-at 85"],
            async (invocation, cancellationToken) =>
            {
                var request = new ChangePool { SoftThresholdPercent = invocation.Get(soft), HardThresholdPercent = invocation.Get(hard) };
                if (request is { SoftThresholdPercent: null, HardThresholdPercent: null })
                    throw Usage.Error("nothing to set", "add --warn-at or --warn-again-at");
                using var client = ApiClient.For(invocation);
                var pool = await client.ChangePoolAsync(invocation.Get(name), request, cancellationToken);
                var (first, second) = (pool.SoftThresholdPercent, pool.HardThresholdPercent);
                PoolScreens.WriteChanged(invocation, pool, $"{pool.Name} says so when it is {first} % and {second} % full");
                return ExitCode.Ok;
            })
        { name, soft, hard };
    }

    static int? ParsePercent(string text) =>
        int.TryParse(text.TrimEnd('%'), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) && percent is >= 1 and <= 100
            ? percent
            : throw new FormatException($"'{text}' is not a percentage: expected a number from 1 to 100");
}
