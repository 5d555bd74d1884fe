using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar snapshot show</c>.</summary>
static class SnapshotShowCommand
{
    public static Verb Create()
    {
        var paths = SnapshotArguments.Several();
        return new Verb(
            "show",
            "Show snapshots and how to read them",
            ["ashlar snapshot show vm1@monday", "ashlar snapshot show vm1@monday -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var (attempts, found) = (new Attempts(invocation), new List<Snapshot>());
                foreach (var path in invocation.Get(paths))
                    await attempts.TryAsync(async () => found.Add(await client.GetSnapshotAsync(path, cancellationToken)));
                SnapshotScreens.Write(invocation, found, invocation.Get(paths).Length == 1, isChange: false, (writer, _) =>
                {
                    foreach (var snapshot in found)
                    {
                        if (snapshot != found[0]) writer.WriteLine();
                        SnapshotScreens.WriteOne(invocation.Terminal, snapshot);
                    }
                });
                return attempts.ExitCode;
            })
        { paths };
    }
}
