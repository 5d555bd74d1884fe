namespace Ashlar.Blocks.Raid;

/// <summary>What a look at a stripe has found.</summary>
/// <param name="Unreadable">Chunks that could not be read.</param>
/// <param name="IsInconsistent">Copies differ, or parity does not belong to the data.</param>
/// <param name="IsRepaired">It is consistent now, and all of it was written again that could not be read.</param>
/// <param name="IsUncertain">Nothing told what was wrong.</param>
readonly record struct StripeFinding(int Unreadable, bool IsInconsistent, bool IsRepaired, bool IsUncertain)
{
    /// <summary>Nothing of it is in use, and nothing was read.</summary>
    public bool IsFree { get; init; }
}
