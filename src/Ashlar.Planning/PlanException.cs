namespace Ashlar.Planning;

/// <summary>Numbers that cannot be planned with: out of range, contradictory, or too large together.</summary>
/// <param name="input">Which input is to blame, named as the option of the command line, without its dashes.</param>
/// <param name="message">What is wrong with it, without a full stop.</param>
public sealed class PlanException(string input, string message) : Exception(message)
{
    /// <summary>Which input is to blame: "retention".</summary>
    public string Input { get; } = input;
}
