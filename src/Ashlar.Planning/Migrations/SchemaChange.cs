namespace Ashlar.Planning;

/// <summary>What changes in a schema that is in use.</summary>
public enum SchemaChange
{
    /// <summary>A new column whose value comes from the others.</summary>
    AddColumn = 0,

    /// <summary>A column of another type.</summary>
    ChangeType,

    /// <summary>Another name for a column.</summary>
    Rename,

    /// <summary>Columns move to a table of their own.</summary>
    MoveTable,

    /// <summary>A new index.</summary>
    AddIndex,

    /// <summary>A new constraint: not null, a check, a foreign key.</summary>
    AddConstraint,

    /// <summary>A column that goes.</summary>
    DropColumn,
}
