using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar pool create</c>.</summary>
static class PoolCreateCommand
{
    public static Verb Create(Terminal terminal)
    {
        var name = PoolArguments.NewName();
        var devices = PoolArguments.Devices("File or block device, of the server's machine; several with several options");
        var size = PoolArguments.Size(terminal);
        var raid = new Option<int?>("--raid")
        {
            Description = "Make the devices a RAID set: 0, 1, 5, 6 or 10",
            HelpName = "LEVEL",
        };
        raid.AcceptOnlyFromAmong("0", "1", "5", "6", "10");
        var spares = PoolArguments.Devices("Device that steps in when one of the RAID set fails; several with several options", "--spare");
        var chunk = Setting.Create(
            terminal, "--chunk", "SIZE", "What lies on one device of the set before the next one's turn comes", ByteSize.Parse, 65536L);
        var portable = new Option<bool>("--portable")
        {
            Description = "Have the map on the devices, too, so that any server can import the pool; no device can be taken out then",
        };
        var force = PoolArguments.ForceContent();
        return new Verb(
            "create",
            "Create a pool on files and block devices, or in a file of the server",
            [
                "ashlar pool create fast --device /dev/sdb --device /dev/sdc",
                "ashlar pool create fast --device fast.pool --size 10GiB",
                "ashlar pool create safe --raid 6 --device a --device b --device c --device d --spare e --size 64MiB",
                "ashlar pool create scratch --size 10GiB",
            ],
            async (invocation, cancellationToken) =>
            {
                if (!invocation.IsGiven(raid) && (invocation.IsGiven(spares) || invocation.IsGiven(chunk)))
                {
                    throw new CommandException(
                        ExitCode.Usage, ProblemTypes.InvalidRequest, "--spare and --chunk are of a RAID set: say which with --raid");
                }
                using var client = ApiClient.For(invocation);
                var request = new CreatePool
                {
                    Name = invocation.Get(name),
                    Devices = [.. invocation.Get(devices)!.Select(TypedPath.OfFile)],
                    SizeBytes = PoolArguments.SizeOf(invocation, size),
                    IsPortable = invocation.Get(portable),
                    Raid = invocation.Get(raid) is not { } level ? null : new()
                    {
                        Level = level,
                        Spares = [.. invocation.Get(spares)!.Select(TypedPath.OfFile)],
                        ChunkBytes = (int)Math.Clamp(invocation.Get(chunk), 0, int.MaxValue),
                    },
                    Force = invocation.Get(force),
                };
                var pool = await client.CreatePoolAsync(request, cancellationToken);
                PoolScreens.WriteChanged(invocation, pool, $"{pool.Name} is created and holds {ByteSize.Format(pool.CapacityBytes)}");
                return ExitCode.Ok;
            })
        { name, devices, raid, spares, chunk, portable, size, force };
    }
}
