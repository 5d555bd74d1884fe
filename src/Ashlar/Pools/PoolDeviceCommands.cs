using System.CommandLine;
using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>
/// What is done with the devices of a pool: <c>ashlar pool add-device</c>, <c>replace</c>, <c>remove-device</c>, <c>export</c> and
/// <c>import</c>.
/// </summary>
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
        var spare = new Option<bool>("--spare") { Description = "It waits for a device of the RAID set to fail" };
        var size = PoolArguments.Size(terminal);
        var force = PoolArguments.ForceContent();
        return new Verb(
            "add-device",
            "Make a pool larger by a device, or give its RAID set a spare, also while it is in use",
            [
                "ashlar pool add-device main --device more.pool --size 10GiB",
                "ashlar pool add-device fast --device /dev/sdd",
                "ashlar pool add-device safe --device f --spare",
            ],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new AddPoolDevice
                {
                    Path = TypedPath.OfFile(invocation.Get(device)!),
                    SizeBytes = PoolArguments.SizeOf(invocation, size),
                    IsSpare = invocation.Get(spare),
                    Force = invocation.Get(force),
                };
                var pool = await client.AddPoolDeviceAsync(invocation.Get(name), request, cancellationToken);
                var done = request.IsSpare ? $"{pool.Name} has {request.Path} as a spare"
                    : $"{pool.Name} holds {ByteSize.Format(pool.CapacityBytes)} now";
                PoolScreens.WriteChanged(invocation, pool, done);
                return ExitCode.Ok;
            })
        { name, device, spare, size, force };
    }

    public static Verb CreateReplace()
    {
        var name = PathArgument.Pool(isRequired: true);
        var old = new Argument<string>("OLD") { Description = "Device of the RAID set, as 'pool show' tells it, or a member's number" };
        var replacement = new Argument<string>("NEW") { Description = "Device that takes its place; the same where another is there now" };
        var force = PoolArguments.ForceContent();
        return new Verb(
            "replace",
            "Put a device in the place of another one of a RAID set; nothing is given up before it holds all",
            ["ashlar pool replace safe b f", "ashlar pool replace safe /dev/sdb /dev/sde", "ashlar pool replace safe 1 /dev/sde"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new ReplacePoolDevice
                {
                    Path = DeviceOrPlace(invocation.Get(old)),
                    Replacement = TypedPath.OfFile(invocation.Get(replacement)),
                    Force = invocation.Get(force),
                };
                var pool = await client.ReplacePoolDeviceAsync(invocation.Get(name), request, cancellationToken);
                PoolScreens.WriteChanged(invocation, pool, $"{request.Replacement} is about to take the place of {What(request.Path)}");
                return ExitCode.Ok;
            })
        { name, old, replacement, force };
    }

    // A number is a place; a file of that name is './1'.
    static string DeviceOrPlace(string text) => text.All(char.IsAsciiDigit) ? text : TypedPath.OfFile(text);

    static string What(string name) => name.StartsWith('/') ? name : $"member {name}";

    public static Verb CreateRemove(Terminal terminal)
    {
        var name = PathArgument.Pool(isRequired: true);
        var device = new Argument<string>("DEVICE")
        {
            Description = "One of its devices, as 'ashlar pool show' names it: not the first, and of a RAID set one that it does without",
        };
        var limit = Setting.Create<long?>(
            terminal, "--limit-bandwidth", "SIZE", "How much it may copy in a second, 1MiB at least [default: all it can]",
            text => ByteSize.Parse(text), null);
        var noWait = PoolCheckCommands.NoWait();
        return new Verb(
            "remove-device",
            "Move what lies on a device to the others, while the pool is in use, and take it out; or take one out of a RAID set",
            [
                "ashlar pool remove-device fast /dev/sdd",
                "ashlar pool remove-device fast more.pool --limit-bandwidth 100MiB --no-wait",
                "ashlar pool remove-device safe e",
            ],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new RemovePoolDevice
                {
                    Path = DeviceOrPlace(invocation.Get(device)!),
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
            Description = "All devices of the pool, in any order; of a RAID set as many as it needs",
            Arity = ArgumentArity.OneOrMore,
        };
        var name = new Option<string?>("--name") { Description = "What it is to be called from now on", HelpName = "NAME" };
        var force = new Option<bool>("--force")
        {
            Description = "Take it also from another machine that has it, and that is gone: one that still writes to it destroys it",
        };
        var acceptLoss = new Option<bool>("--accept-loss")
        {
            Description = "Start a RAID set also where what was written last is lost by it, with the devices that are missing",
        };
        return new Verb(
            "import",
            "Open a pool from where its devices are: one that was exported, also by another server, or that could not be opened",
            ["ashlar pool import fast.pool", "ashlar pool import /dev/sdb /dev/sdc --name slow"],
            async (invocation, cancellationToken) =>
            {
                using var client = ApiClient.For(invocation);
                var request = new ImportPool
                {
                    Devices = [.. invocation.Get(devices).Select(TypedPath.OfFile)],
                    Name = invocation.Get(name),
                    Force = invocation.Get(force),
                    AcceptLoss = invocation.Get(acceptLoss),
                };
                var pool = await client.ImportPoolAsync(request, cancellationToken);
                PoolScreens.WriteChanged(invocation, pool, $"{pool.Name} is imported and holds {ByteSize.Format(pool.CapacityBytes)}");
                return ExitCode.Ok;
            })
        { devices, name, force, acceptLoss };
    }
}
