using System.CommandLine;
using Ashlar.KeyValue;
using Ashlar.KeyValue.Sharding;

namespace Ashlar.CommandLine;

/// <summary><c>ashlar kv repair</c>.</summary>
static class KeyValueRepairCommand
{
    public static Verb Create()
    {
        var directory = KeyValueArguments.Directory();
        var target = new Argument<string>("TARGET") { Description = "Where the new store goes: empty, or missing" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask" };
        return new Verb(
            "repair",
            "Build a new store from what holds of a damaged one that has no backup",
            ["ashlar kv repair ./store ./repaired", "ashlar kv repair ./store ./repaired --yes"],
            async (invocation, cancellationToken) =>
            {
                var source = KeyValueArguments.FullPath(invocation, directory);
                var path = TypedPath.OfDirectory(invocation.Get(target));
                KeyValueArguments.RequireApart(source, path, "a store is not repaired in its place");
                if (ShardedKeyValueStore.IsSharded(source))
                    throw Usage.Error(
                        $"{source} is sharded, and a repair is of one engine", $"repair its damaged shards, such as {source}/shard-000");
                await invocation.ConfirmAsync(
                    "What comes out is not a state that the store ever had: lost keys are absent or old, deleted ones may be back. Go on?",
                    invocation.Get(yes),
                    cancellationToken);
                var report = KeyValueRepair.Run(source, path);
                var result = KeyValueRepaired.Of(path, report);
                invocation.Write(result, KeyValueJson.Strict.KeyValueRepaired, [path], (writer, style) =>
                {
                    foreach (var loss in result.Losses) writer.WriteLine($"{style.Bad("lost:")} {loss}");
                    if (!report.HadManifest)
                        writer.WriteLine("no manifest said which files count: keys that were deleted long ago may be back");
                    writer.WriteLine($"{path} is a new store with {KeyValueCommands.Entries(report.Keys)}");
                });
                return report.Losses.Count == 0 ? ExitCode.Ok : ExitCode.Damaged;
            })
        { directory, target, yes };
    }
}
