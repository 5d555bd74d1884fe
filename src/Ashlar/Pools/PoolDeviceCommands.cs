using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>Devices of a pool: <c>ashlar pool add-device</c>, <c>remove-device</c>, <c>export</c> and <c>import</c>.</summary>
static class PoolDeviceCommands
{
    public static Verb CreateAdd(Terminal terminal)
    {
        var name = PathArgument.Pool(isRequired: true);
        var device = new Option<string>("--device")
        {
            Description = "File or block device, of the server's machine",
            HelpName = "DEVICE",
            Required = true,
        };
        var size = PoolArguments.Size(terminal);
        var force = PoolArguments.ForceContent();
        return new Verb(
            "add-device",
            "Make a pool larger by a device, also while it is in use",
            ["ashlar pool add-device main --device more.pool --size 10GiB", "ashlar pool add-device fast --device /dev/sdd"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new AddPoolDevice
                {
                    Path = TypedPath.OfFile(invocation.Get(device)!),
                    SizeBytes = PoolArguments.SizeOf(invocation, size),
                    Force = invocation.Get(force),
                };
                var pool = await client.AddPoolDeviceAsync(invocation.Get(name), request, cancellationToken);
                PoolScreens.WriteChanged(invocation, pool, $"{pool.Name} holds {ByteSize.Format(pool.CapacityBytes)} now");
                return ExitCode.Ok;
            })
        { name, device, size, force };
    }

    public static Verb CreateRemove(Terminal terminal)
    {
        var name = PathArgument.Pool(isRequired: true);
        var device = new Argument<string>("DEVICE") { Description = "One of its devices, as 'ashlar pool show' names it; not the first" };
        var limit = Setting.Create<long?>(
            terminal, "--limit-bandwidth", "SIZE", "How much it may copy in a second, 1MiB at least [default: all it can]",
            text => ByteSize.Parse(text), null);
        var noWait = PoolCheckCommands.NoWait();
        return new Verb(
            "remove-device",
            "Move what lies on a device to the others, while the pool is in use, and take it out",
            ["ashlar pool remove-device fast /dev/sdd", "ashlar pool remove-device fast more.pool --limit-bandwidth 100MiB --no-wait"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new RemovePoolDevice
                {
                    Path = TypedPath.OfFile(invocation.Get(device)!),
                    BytesPerSecond = invocation.Get(limit),
                };
                var task = await client.RemovePoolDeviceAsync(invocation.Get(name), request, cancellationToken);
                return await PoolCheckCommands.FollowAsync(invocation, client, task, invocation.Get(noWait), cancellationToken);
            })
        { name, device, limit, noWait };
    }

    public static Verb CreateExport()
    {
        var name = PathArgument.Pool(isRequired: true);
        var force = new Option<bool>("--force") { Description = "Export also while clients are connected; they are cut off" };
        return new Verb(
            "export",
            "Close a pool for good, so that its devices can be moved",
            ["ashlar pool export fast"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var pool = await client.ExportPoolAsync(invocation.Get(name), invocation.Get(force), cancellationToken);
                PoolScreens.WriteChanged(invocation, pool, $"{pool.Name} is exported");
                return ExitCode.Ok;
            })
        { name, force };
    }

    public static Verb CreateImport()
    {
        var devices = new Argument<string[]>("DEVICE")
        {
            Description = "All devices of the pool, in any order",
            Arity = ArgumentArity.OneOrMore,
        };
        var name = new Option<string?>("--name") { Description = "What it is to be called from now on", HelpName = "NAME" };
        return new Verb(
            "import",
            "Open a pool that was exported, or that could not be opened, from where its devices are",
            ["ashlar pool import fast.pool", "ashlar pool import /dev/sdb /dev/sdc --name slow"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new ImportPool
                {
                    Devices = [.. invocation.Get(devices).Select(TypedPath.OfFile)],
                    Name = invocation.Get(name),
                };
                var pool = await client.ImportPoolAsync(request, cancellationToken);
                PoolScreens.WriteChanged(invocation, pool, $"{pool.Name} is imported and holds {ByteSize.Format(pool.CapacityBytes)}");
                return ExitCode.Ok;
            })
        { devices, name };
    }
}
