using System.Text;
using Ashlar.KeyValue.Sharding;
using Ashlar.KeyValue.Victim;
using Ashlar.Simulation;

namespace Ashlar.KeyValue.Endurance.Tests;

/// <summary>
/// One judge for one engine, one for each of several: each shard keeps every promise, and none is made between them. A salted
/// key lies in any shard, so that one is judged over all of them.
/// </summary>
static class Judges
{
    static readonly Lazy<Dictionary<string, int>> Shards = new(() =>
    {
        using var store = ShardedKeyValueStore.Open(
            "/shards", VictimWorkload.ShardedOptions with { Store = new() { FileSystem = new SimulatedFileSystem(isRecording: false) } });
        return Enumerable.Range(0, VictimWorkload.Threads).SelectMany(VictimWorkload.OwnKeysOf)
            .ToDictionary(key => key, key => store.GetShard(Encoding.UTF8.GetBytes(key)));
    });

    /// <exception cref="JudgeException">What is found cannot come from what was asked for.</exception>
    public static void Require(
        VictimPlan plan, IReadOnlyDictionary<string, string> before, LifeHistory history, Death death, IReadOnlyDictionary<string,
        string> found)
    {
        if (plan.Kind != StoreKind.Sharded)
        {
            new Judge(plan.Seed, plan.Life, before, history, death).Require(found);
            return;
        }

        for (var shard = 0; shard < VictimWorkload.Shards; shard++)
        {
            var number = shard;
            bool IsHere(string key) => Shards.Value.TryGetValue(key, out var place) && place == number;
            var judge = new Judge(plan.Seed, plan.Life, Part(before, IsHere), history, death)
            {
                Concerns = IsHere,
                MostLost = VictimWorkload.MostLost(plan.Kind),
            };
            judge.Require(Part(found, IsHere));
        }

        foreach (var key in found.Keys.Where(key => !Shards.Value.ContainsKey(key) && !SaltedKeyJudge.IsSalted(key)))
            throw new JudgeException(JudgeProblem.Unwritten, $"Nobody ever wrote the key '{key}'.");
        new SaltedKeyJudge(plan, before, history, death).Require(found);
    }

    static Dictionary<string, string> Part(IReadOnlyDictionary<string, string> all, Func<string, bool> isHere) =>
        all.Where(pair => isHere(pair.Key)).ToDictionary(pair => pair.Key, pair => pair.Value);
}
