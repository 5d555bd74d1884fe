using System.CommandLine;
using Ashlar.Storage;

namespace Ashlar.CommandLine;

/// <summary>
/// Names of volumes and pools for somebody who waits at the keyboard: soon, or none. A server that does not run is known at once; the
/// limit is for one that hangs.
/// </summary>
sealed class ServerNames(GlobalOptions global, Terminal terminal, CancellationToken cancellationToken)
{
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(5);

    /// <summary>The names of what a placeholder stands for, of the server that the command line means.</summary>
    public async Task<IReadOnlyList<string>> FindAsync(ParseResult parsed, string placeholder)
    {
        using var deadline = new CancellationTokenSource(LongestWait, terminal.TimeProvider);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            using var client = ApiClient.For(new Invocation(parsed, global, terminal));
            var pools = (await client.ListPoolsAsync(either.Token)).Items.Select(pool => pool.Name).ToArray();
            if (placeholder == "POOL") return pools;
            var names = new List<string>();
            foreach (var pool in pools)
                names.AddRange((await client.ListVolumesAsync(pool, either.Token)).Items.Select(VolumeScreens.PathOf));
            return names;
        }
        catch (Exception e) when (e is AshlarException or OperationCanceledException)
        {
            return [];
        }
    }
}
