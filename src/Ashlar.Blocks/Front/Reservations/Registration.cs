namespace Ashlar.Blocks;

/// <summary>That somebody may take part in reservations.</summary>
/// <param name="Registrant">Who.</param>
/// <param name="Key">What it has to say whenever it asks for something; never 0.</param>
public sealed record Registration(Registrant Registrant, ulong Key);
