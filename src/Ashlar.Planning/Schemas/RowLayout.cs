namespace Ashlar.Planning;

/// <summary>A row of a table and its indexes, in bytes.</summary>
/// <param name="Fields">In the order of the schema.</param>
/// <param name="OverheadBytes">What the database adds to each row.</param>
/// <param name="Indexes">Each is a list of columns.</param>
/// <param name="IndexOverheadBytes">What the database adds to each entry of an index.</param>
public sealed record RowLayout(
    IReadOnlyList<FieldLayout> Fields, long OverheadBytes, IReadOnlyList<IndexLayout> Indexes, long IndexOverheadBytes)
{
    /// <summary>PostgreSQL: a header of 23 bytes, filled up to 24, and 4 in the page's list of rows.</summary>
    public const long DefaultOverheadBytes = 28;

    /// <summary>PostgreSQL: 8 of the entry, 4 in the page's list, 4 for what alignment takes on average.</summary>
    public const long DefaultIndexOverheadBytes = 16;

    /// <summary>Bytes of a row with its overhead, on average.</summary>
    public decimal RecordBytes => Fields.Sum(column => column.Bytes) + OverheadBytes;

    /// <summary>Bytes that all indexes add for a row, on average.</summary>
    public decimal IndexBytes => Indexes.Sum(index => index.KeyBytes + IndexOverheadBytes);
}

/// <summary>A field and what it takes on average.</summary>
/// <param name="Name">Name of the column.</param>
/// <param name="Type">Its SQL type.</param>
/// <param name="Bytes">With the header of what varies; less where it is null in some rows.</param>
/// <param name="IsPrimaryKey">Whether it is declared as the primary key.</param>
public sealed record FieldLayout(string Name, SqlType Type, decimal Bytes, bool IsPrimaryKey = false);

/// <summary>An index.</summary>
/// <param name="Columns">Names of its columns.</param>
/// <param name="KeyBytes">Their bytes together, on average.</param>
public sealed record IndexLayout(IReadOnlyList<string> Columns, decimal KeyBytes);
