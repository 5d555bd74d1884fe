namespace Ashlar.CommandLine;

/// <summary>For whom a command writes.</summary>
enum OutputFormat
{
    /// <summary>People: aligned columns, IEC sizes.</summary>
    Table = 0,

    /// <summary>Programs: one JSON object with a version, integer bytes.</summary>
    Json,

    /// <summary>Shell loops: one name a line.</summary>
    Name,
}
