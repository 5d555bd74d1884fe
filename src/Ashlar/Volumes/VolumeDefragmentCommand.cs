using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar volume defragment</c>.</summary>
static class VolumeDefragmentCommand
{
    public static Verb Create(Terminal terminal)
    {
        var path = PathArgument.Volume();
        var copyShared = new Option<bool>("--copy-shared")
        {
            Description = "Also chunks of which snapshots have blocks: the volume gets copies of these, which take space",
        };
        var limit = Setting.Create<long?>(
            terminal, "--limit-bandwidth", "SIZE", "How much it may copy in a second, 1MiB at least [default: all it can]",
            text => ByteSize.Parse(text), null);
        var noWait = PoolCheckCommands.NoWait();
        return new Verb(
            "defragment",
            "Put a volume in order, while it is in use, so that it is read from end to end like a new one",
            ["ashlar volume defragment vm1", "ashlar volume defragment vm1 --limit-bandwidth 100MiB --no-wait"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var volume = invocation.Get(path);
                var before = await client.GetFragmentationAsync(volume, cancellationToken);
                invocation.Tell($"{volume}: {Describe(before)}");
                var request = new StartDefragmentation
                {
                    CopyShared = invocation.Get(copyShared),
                    BytesPerSecond = invocation.Get(limit),
                };
                var task = await client.DefragmentAsync(volume, request, cancellationToken);
                return await PoolCheckCommands.FollowAsync(invocation, client, task, invocation.Get(noWait), cancellationToken);
            })
        { path, copyShared, limit, noWait };
    }

    /// <summary>How scattered a volume lies.</summary>
    public static string Describe(VolumeFragmentation found)
    {
        if (found.DataBytes == 0) return "no data";
        var percent = Percentage.Format(found.ScatteredBytes, found.DataBytes);
        var where = found.IsWhole ? "" : $" of the first {ByteSize.Format(found.DataBytes)}";
        var pieces = found.Pieces == 1 ? "1 piece" : FormattableString.Invariant($"{found.Pieces} pieces");
        return $"{percent}{where} scattered, {pieces} of {ByteSize.Format(found.DataBytes / Math.Max(1, found.Pieces))} on average";
    }
}
