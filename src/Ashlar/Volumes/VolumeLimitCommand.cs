using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume limit</c>.</summary>
static class VolumeLimitCommand
{
    public static Verb Create(Terminal terminal)
    {
        var paths = PathArgument.Volumes();
        var limits = new VolumeLimitOptions(terminal);
        return new Verb(
            "limit",
            "Limit what all clients of a volume together may ask of it; takes effect at once",
            [
                "ashlar volume limit vm1 --limit-iops 500 --limit-bandwidth 100MiB",
                "ashlar volume limit vm1 vm2 --limit-iops none",
            ],
            async (invocation, cancellationToken) =>
            {
                if (limits.Read(invocation) is not { } asked)
                    throw Usage.Error("nothing to change", "add --limit-iops or --limit-bandwidth, with a number or none");
                using var client = ApiClient.For(invocation);
                var (attempts, changed) = (new Attempts(invocation), new List<Volume>());
                foreach (var path in invocation.Get(paths))
                {
                    await attempts.TryAsync(async () =>
                        changed.Add(await client.ChangeVolumeAsync(path, new() { Limits = asked }, null, cancellationToken)));
                }
                VolumeScreens.Write(invocation, changed, invocation.Get(paths).Length == 1, isChange: true, (writer, _) =>
                {
                    foreach (var volume in changed)
                        writer.WriteLine($"limits of {VolumeScreens.PathOf(volume)}: {VolumeLimitOptions.Format(volume.Limits)}");
                });
                return attempts.ExitCode;
            })
        { paths, limits.Iops, limits.Bandwidth };
    }
}
