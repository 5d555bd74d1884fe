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
        var trash = Setting.Create<long?>(
            terminal, "--trash", "TIME", "How long volumes stay in the trash that are deleted from now on, such as 7d, or none",
            text => text == "none" ? 0 : (long)Math.Max(1, Duration.Parse(text).TotalSeconds), null);
        return new Verb(
            "set",
            "Set when a pool says that its space gets short, and how long its trash keeps volumes",
            [
                "ashlar pool set main --warn-at 70",
                "ashlar pool set main --warn-at 60 --warn-again-at 85",
                "ashlar pool set main --trash 7d",
            ],
            async (invocation, cancellationToken) =>
            {
                var request = new ChangePool
                {
                    SoftThresholdPercent = invocation.Get(soft),
                    HardThresholdPercent = invocation.Get(hard),
                    TrashSeconds = invocation.Get(trash),
                };
                if (request is { SoftThresholdPercent: null, HardThresholdPercent: null, TrashSeconds: null })
                    throw Usage.Error("nothing to set", "add --warn-at, --warn-again-at or --trash");
                using var client = ApiClient.For(invocation);
                var pool = await client.ChangePoolAsync(invocation.Get(name), request, cancellationToken);
                var (first, second) = (pool.SoftThresholdPercent, pool.HardThresholdPercent);
                var warns = $"{pool.Name} says so when it is {first} % and {second} % full";
                var keeps = $"{pool.Name}: deleted volumes {VolumeDescriptionOptions.FormatTrash(pool.TrashSeconds)}";
                PoolScreens.WriteChanged(invocation, pool, request.TrashSeconds is null ? warns : keeps);
                return ExitCode.Ok;
            })
        { name, soft, hard, trash };
    }

    static int? ParsePercent(string text) =>
        int.TryParse(text.TrimEnd('%'), NumberStyles.None, CultureInfo.InvariantCulture, out var percent) && percent is >= 1 and <= 100
            ? percent
            : throw new FormatException($"'{text}' is not a percentage: expected a number from 1 to 100");
}
