using System.CommandLine;
using Ashlar.Api;
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
            if (placeholder == "CUSTOMER")
            {
                return [.. (await client.ListAllAsync(
                    CustomerApi.Customers, ApiJson.Strict.FileCustomerList, static page => (page.Items, page.Next), either.Token))
                    .Select(static each => each.Name).Where(IsName)];
            }
            if (placeholder == ExportCommands.Placeholder)
            {
                return [.. (await client.ListAllAsync(
                    ExportCommands.Url, ApiJson.Strict.ExportList, static page => (page.Items, page.Next), either.Token))
                    .Select(static each => each.Name).Where(IsName)];
            }
            if (placeholder == PortalCommands.Placeholder)
            {
                return [.. (await client.GetAsync(PortalCommands.Url, ApiJson.Strict.PortalList, either.Token))
                    .Items.Select(PortalCommands.NameOf)];
            }
            if (placeholder == "NODE")
            {
                return [.. (await client.ListAllAsync(
                    CustomerApi.Nodes, ApiJson.Strict.FileNodeList, static page => (page.Items, page.Next), either.Token))
                    .Select(static each => each.Name).Where(IsName)];
            }
            var pools = (await client.ListPoolsAsync(either.Token)).Items.Where(pool => IsName(pool.Name)).ToArray();
            if (placeholder == "POOL") return [.. pools.Select(pool => pool.Name)];
            var names = new List<string>();
            foreach (var pool in pools.Where(pool => pool.State == PoolStates.Available))
            {
                if (placeholder == PathArgument.TrashedName)
                {
                    names.AddRange((await client.ListTrashAsync(pool.Name, either.Token)).Items
                        .Where(trashed => IsName(trashed.Pool) && IsName(trashed.Name))
                        .Select(trashed => new VolumePath(trashed.Pool, trashed.Name).ToString())
                        .Distinct(StringComparer.Ordinal));
                    continue;
                }
                var volumes = (await client.ListVolumesAsync(pool.Name, null, either.Token)).Items
                    .Where(volume => IsName(volume.Pool) && IsName(volume.Name));
                if (placeholder == "VOLUME")
                {
                    names.AddRange(volumes.Select(VolumeScreens.PathOf));
                    continue;
                }
                foreach (var volume in volumes.Where(volume => volume.SnapshotCount > 0))
                    await AddSnapshotsAsync(client, volume, names, either.Token);
            }
            return names;
        }
        catch (Exception e) when (e is AshlarException or OperationCanceledException or InvalidOperationException)
        {
            // The last of them: --server or --data has a value that it cannot have.
            return [];
        }
    }

    static async Task AddSnapshotsAsync(ApiClient client, Volume volume, List<string> names, CancellationToken cancellationToken)
    {
        var path = new VolumePath(volume.Pool, volume.Name);
        var snapshots = (await client.ListSnapshotsAsync(path, isMeasured: false, cancellationToken)).Items;
        names.AddRange(snapshots.Where(each => IsName(each.Name)).Select(each => new SnapshotPath(path, each.Name).ToString()));
    }

    // What else a server says is not a name, and may be meant for the shell.
    internal static bool IsName(string name) =>
        name.Length > 0 && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
}
