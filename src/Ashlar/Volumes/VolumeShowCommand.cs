using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume show</c>.</summary>
static class VolumeShowCommand
{
    public static Verb Create(Terminal terminal)
    {
        var paths = PathArgument.Volumes();
        var watch = new WatchOptions(terminal);
        var verb = new Verb(
            "show",
            "Show volumes and how to connect to them",
            ["ashlar volume show vm1", "ashlar volume show vm1 vm2", "ashlar volume show vm1 -o json"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                return await watch.RunAsync(
                    invocation,
                    async token =>
                    {
                        var (attempts, volumes) = (new Attempts(invocation), new List<(Volume, VolumeFragmentation?)>());
                        foreach (var path in invocation.Get(paths))
                        {
                            await attempts.TryAsync(async () => volumes.Add((
                                await client.GetVolumeAsync(path, token),
                                invocation.Format == OutputFormat.Table ? await TryMeasureAsync(client, path, token) : null)));
                        }
                        return (volumes, attempts.ExitCode);
                    },
                    found =>
                    {
                        Write(invocation, found.volumes, isOne: invocation.Get(paths).Length == 1);
                        return found.ExitCode;
                    },
                    cancellationToken);
            })
        { paths };
        foreach (var option in watch.All) verb.Options.Add(option);
        return verb;
    }

    // A fact more or less; earlier servers do not tell it.
    static async Task<VolumeFragmentation?> TryMeasureAsync(ApiClient client, VolumePath path, CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetFragmentationAsync(path, cancellationToken);
        }
        catch (CommandException)
        {
            return null;
        }
    }

    static void Write(Invocation invocation, List<(Volume Volume, VolumeFragmentation? Fragmentation)> volumes, bool isOne) =>
        VolumeScreens.Write(invocation, [.. volumes.Select(static each => each.Volume)], isOne, isChange: false, (writer, _) =>
        {
            foreach (var (volume, fragmentation) in volumes)
            {
                if (volume != volumes[0].Volume) writer.WriteLine();
                VolumeScreens.WriteOne(invocation.Terminal, volume, fragmentation);
            }
        });
}
