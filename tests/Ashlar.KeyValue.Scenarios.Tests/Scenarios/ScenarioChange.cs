using Ashlar.Simulation;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>One entry of a batch.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">What is put; null deletes.</param>
/// <param name="Expires">When it goes; null is never. Of no key in a keyspace.</param>
/// <param name="Keyspace">The name of its keyspace; null outside of any.</param>
readonly record struct ScenarioChange(string Key, string? Value, DateTimeOffset? Expires, string? Keyspace = null)
{
    // What has expired when it is written deletes, and what expires late does not expire: the model needs no clock.
    static readonly DateTimeOffset Past = DateTimeOffset.UnixEpoch.AddDays(1);

    /// <summary>The key as the model has it.</summary>
    public string ModelKey => Keyspace is null ? Key : KeyspaceKeys.Of(Keyspace, Key);

    /// <summary>The same for what the model has as <paramref name="modelKey"/>.</summary>
    public static ScenarioChange Of(string modelKey, string? value) => KeyspaceKeys.TrySplit(modelKey, out var keyspace, out var key)
        ? new(key, value, null, keyspace)
        : new(modelKey, value, null);

    /// <summary>What a reader finds; null if nothing.</summary>
    public string? Remains => Expires == Past ? null : Value;

    /// <summary>A value that no other change has. Lengths differ, and some span several sectors.</summary>
    public static string NewValue(int step, int number, SeededRandom random, bool mayBeLong)
    {
        var length = mayBeLong && random.OneIn(20) ? 290_000 : random.OneIn(7) ? 700 : random.Next(10, 110);
        return $"{step}:{number}".PadLeft(length, '.');
    }

    public static ScenarioChange Random(string key, string value, SeededRandom random, bool mayExpire) => random.Next(6) switch
    {
        0 => new(key, null, null),
        1 when mayExpire => new(key, value, Past),
        2 when mayExpire => new(key, value, DateTimeOffset.MaxValue),
        _ => new(key, value, null),
    };

    /// <param name="batch">What it is added to.</param>
    /// <param name="keyspace">Its keyspace.</param>
    public void AddTo(WriteBatch batch, Keyspace? keyspace = null)
    {
        var key = TestStore.Bytes(Key);
        if (keyspace is not null && Value is null) batch.Delete(keyspace, key);
        else if (keyspace is not null) batch.Put(keyspace, key, TestStore.Bytes(Value!));
        else if (Value is null) batch.Delete(key);
        else if (Expires is { } time) batch.Put(key, TestStore.Bytes(Value), time);
        else batch.Put(key, TestStore.Bytes(Value));
    }
}
