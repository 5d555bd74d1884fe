using System.Globalization;

namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>
/// What the store holds after each change, by lanes: an engine loses the end of its own history, and a key that lies in several of them
/// goes back for itself.
/// </summary>
sealed class StoreModel
{
    readonly Dictionary<string, string> laneOf = [];
    readonly Dictionary<string, List<Moment>> lanes = [];
    SortedDictionary<string, string> content = new(StringComparer.Ordinal);
    int step;

    readonly record struct Moment(int Step, string Text);

    /// <summary>The last change.</summary>
    public int Step => step;

    /// <summary>What is there now.</summary>
    public IReadOnlyDictionary<string, string> Content => content;

    public SortedDictionary<string, string> Copy() => new(content, StringComparer.Ordinal);

    /// <summary>Begins the next change: from now on it may be there.</summary>
    public int Begin(IEnumerable<(string Key, string? Value)> changes, Func<string, string> findLane)
    {
        step++;
        var next = Copy();
        foreach (var (key, value) in changes)
        {
            laneOf.TryAdd(key, findLane(key));
            if (value is null) next.Remove(key);
            else next[key] = value;
        }

        Set(next);
        return step;
    }

    /// <summary>All becomes what it was at another time.</summary>
    public int BecomeAgain(SortedDictionary<string, string> earlier)
    {
        step++;
        Set(new(earlier, StringComparer.Ordinal));
        return step;
    }

    /// <summary>The last change was refused: nothing of it may ever be there.</summary>
    public void Refuse(SortedDictionary<string, string> before)
    {
        foreach (var lane in lanes.Values) lane.RemoveAll(moment => moment.Step == step);
        content = before;
        step--;
    }

    public string LaneOf(string key) => laneOf[key];

    /// <summary>Holds that each lane is as it was between what was promised of it and what was begun.</summary>
    /// <exception cref="ScenarioFailureException">One is not.</exception>
    public void RequireBetween(IReadOnlyDictionary<string, string> found, Func<string, int> promisedOf, int begun)
    {
        var byLane = found.GroupBy(pair => laneOf.GetValueOrDefault(pair.Key)
                ?? throw new ScenarioFailureException(FailureKind.Mixed, $"{pair.Key} was never written, and is there"))
            .ToDictionary(lane => lane.Key, Describe);
        foreach (var (name, moments) in lanes)
        {
            var text = byLane.GetValueOrDefault(name, "");
            var promised = promisedOf(name);
            var was = false;
            var isAllowed = promised == 0 && text.Length == 0;
            for (var i = 0; i < moments.Count && !isAllowed; i++)
            {
                if (moments[i].Text != text) continue;
                was = true;
                isAllowed = moments[i].Step <= begun && (i + 1 == moments.Count || moments[i + 1].Step > promised);
            }

            if (isAllowed) continue;
            var expected = moments.LastOrDefault(moment => moment.Step <= promised).Text ?? "";
            throw new ScenarioFailureException(
                was || text.Length == 0 ? FailureKind.Lost : FailureKind.Mixed,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"""
                    {(name.Length == 0 ? "The store" : name)} is not as it was at any of the changes {promised} to {begun}.
                    Promised: {Shorten(expected)}
                    Found:    {Shorten(text)}
                    """));
        }
    }

    public static string Describe(IEnumerable<KeyValuePair<string, string>> entries) =>
        string.Join(' ', entries.Select(pair => $"{pair.Key}={pair.Value}"));

    /// <summary>For messages: values without what only makes them long.</summary>
    public static string Shorten(string text) => text.Replace(".", "", StringComparison.Ordinal) is { Length: > 1500 } longText
        ? longText[..1500] + " ..."
        : text.Replace(".", "", StringComparison.Ordinal);

    void Set(SortedDictionary<string, string> next)
    {
        foreach (var name in laneOf.Values.Distinct())
        {
            var text = Describe(next.Where(pair => laneOf[pair.Key] == name));
            if (!lanes.TryGetValue(name, out var moments)) lanes[name] = moments = [new Moment(0, "")];
            if (moments[^1].Text != text) moments.Add(new Moment(step, text));
        }

        content = next;
    }
}
