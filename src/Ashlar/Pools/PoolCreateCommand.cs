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
        var force = PoolArguments.ForceContent();
        return new Verb(
            "create",
            "Create a pool on files and block devices, or in a file of the server",
            [
                "ashlar pool create fast --device /dev/sdb --device /dev/sdc",
                "ashlar pool create fast --device fast.pool --size 10GiB",
                "ashlar pool create scratch --size 10GiB",
            ],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new CreatePool
                {
                    Name = invocation.Get(name),
                    Devices = [.. invocation.Get(devices)!.Select(TypedPath.OfFile)],
                    SizeBytes = PoolArguments.SizeOf(invocation, size),
                    Force = invocation.Get(force),
                };
                var pool = await client.CreatePoolAsync(request, cancellationToken);
                PoolScreens.WriteChanged(invocation, pool, $"{pool.Name} is created and holds {ByteSize.Format(pool.CapacityBytes)}");
                return ExitCode.Ok;
            })
        { name, devices, size, force };
    }
}
