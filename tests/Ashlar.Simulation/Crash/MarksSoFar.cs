using System.Collections;

namespace Ashlar.Simulation;

/// <summary>The first marks of a list that only grows: a snapshot of it that costs nothing.</summary>
sealed class MarksSoFar(List<object> marks, int count) : IReadOnlyList<object>
{
    public int Count => count;

    public object this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
            return marks[index];
        }
    }

    public IEnumerator<object> GetEnumerator()
    {
        for (var i = 0; i < count; i++) yield return marks[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
