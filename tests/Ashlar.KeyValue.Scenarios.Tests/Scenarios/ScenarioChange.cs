using Ashlar.Simulation;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>One entry of a batch.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">What is put; null deletes.</param>
/// <param name="Expires">When it goes; null is never.</param>
readonly record struct ScenarioChange(string Key, string? Value, DateTimeOffset? Expires)
{
    // What has expired when it is written deletes, and what expires late does not expire: the model needs no clock.
    static readonly DateTimeOffset Past = DateTimeOffset.UnixEpoch.AddDays(1);

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

    public void AddTo(WriteBatch batch)
    {
        var key = TestStore.Bytes(Key);
        if (Value is null) batch.Delete(key);
        else if (Expires is { } time) batch.Put(key, TestStore.Bytes(Value), time);
        else batch.Put(key, TestStore.Bytes(Value));
    }
}
