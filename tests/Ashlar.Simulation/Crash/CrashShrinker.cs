namespace Ashlar.Simulation;

/// <summary>Looks greedily for the fewest losses that still make a check fail.</summary>
sealed class CrashShrinker(Func<Survivors, Task<Exception?>> failureOf)
{
    const int MaxAttempts = 200;

    int attempts;

    public async Task<Survivors> ShrinkAsync(CrashPoint point, Survivors failing)
    {
        var current = failing;
        for (var hasShrunk = true; hasShrunk && attempts < MaxAttempts;)
        {
            hasShrunk = false;
            foreach (var simpler in Simpler(point, current))
            {
                if (++attempts > MaxAttempts) break;
                if (await failureOf(simpler) is null) continue;
                current = simpler;
                hasShrunk = true;
                break;
            }
        }

        return current;
    }

    static IEnumerable<Survivors> Simpler(CrashPoint point, Survivors survivors)
    {
        if (survivors.OldContentSeed is not null) yield return survivors with { OldContentSeed = null };
        foreach (var index in survivors.Tears.Keys)
            yield return survivors with { Tears = Without(survivors.Tears, index) };
        foreach (var index in survivors.LengthsReached.Keys)
            yield return survivors with { LengthsReached = Without(survivors.LengthsReached, index) };
        for (var i = point.Pending.Count - 1; i >= 0; i--)
        {
            if (survivors.IsKept[i]) continue;
            var kept = (bool[])survivors.IsKept.Clone();
            kept[i] = true;
            yield return survivors with { IsKept = kept };
        }
    }

    static Dictionary<int, T> Without<T>(Dictionary<int, T> values, int key)
    {
        var rest = new Dictionary<int, T>(values);
        rest.Remove(key);
        return rest;
    }
}
