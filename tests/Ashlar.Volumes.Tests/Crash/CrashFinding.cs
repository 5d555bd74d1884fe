using Ashlar.Storage;

namespace Ashlar.Volumes.Tests;

/// <summary>What a check found wrong with a pool after a crash.</summary>
enum Finding
{
    /// <summary>Nothing that a check looks for.</summary>
    None = 0,

    /// <summary>The pool does not open.</summary>
    DoesNotOpen,

    /// <summary>What was promised is not there: older, or gone.</summary>
    Lost,

    /// <summary>Parts of two versions where there is one or the other.</summary>
    Torn,

    /// <summary>What belongs elsewhere.</summary>
    Foreign,

    /// <summary>What was discarded, cut off or deleted is back.</summary>
    Resurrected,

    /// <summary>A block or a piece of the map is called damaged, and nothing was.</summary>
    Damaged,

    /// <summary>Map and free space do not agree.</summary>
    Disagreement,

    /// <summary>A thick volume lacks space.</summary>
    Unbacked,
}

/// <summary>A check says what it found.</summary>
sealed class CrashFindingException(Finding finding, string problem) : Exception($"{finding}: {problem}")
{
    public Finding Finding { get; } = finding;

    public static void Require(bool condition, Finding finding, string problem)
    {
        if (!condition) throw new CrashFindingException(finding, problem);
    }

    /// <summary>Runs the opening of a pool: what it throws is that it does not open.</summary>
    public static async Task<TestPool> OpeningAsync(Task<TestPool> opening)
    {
        try
        {
            return await opening;
        }
        catch (Exception cause)
        {
            throw new CrashFindingException(Finding.DoesNotOpen, cause.ToString());
        }
    }

    /// <summary>What an exception of a check, or of a workload, stands for.</summary>
    public static Finding Of(Exception? cause) => cause switch
    {
        CrashFindingException found => found.Finding,
        CorruptDataException => Finding.Damaged,
        _ => Finding.None,
    };
}
