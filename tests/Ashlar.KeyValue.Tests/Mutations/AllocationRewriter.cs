using Ashlar.Simulation;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Ashlar.KeyValue.Tests;

/// <summary>Lets code ask <see cref="SimulatedHeap"/> before each statement that allocates.</summary>
/// <param name="file">For the names of places.</param>
/// <param name="model">Tells objects from values, which cost no memory.</param>
sealed class AllocationRewriter(string file, SemanticModel model) : CSharpSyntaxRewriter
{
    static readonly HashSet<string> Allocating = new(StringComparer.Ordinal)
    {
        "ToArray", "ToList", "Rent", "RentExactly", "Allocate", "AllocateUninitializedArray", "Create", "CreateBuilder",
        "GetString", "GetBytes",
    };

    /// <summary>Statements that ask.</summary>
    public int Places { get; private set; }

    public override SyntaxNode? VisitBlock(BlockSyntax node)
    {
        var statements = new List<StatementSyntax>();
        foreach (var statement in node.Statements)
        {
            if (Allocates(statement)) statements.Add(Question(statement));
            statements.Add((StatementSyntax)Visit(statement)!);
        }

        return node.WithStatements(SyntaxFactory.List(statements));
    }

    StatementSyntax Question(StatementSyntax statement)
    {
        Places++;
        var line = statement.GetLocation().GetLineSpan().StartLinePosition.Line + 1;
        return SyntaxFactory.ParseStatement($"global::Ashlar.Simulation.SimulatedHeap.Allocate(\"{file}:{line}\");\n");
    }

    // What stands in blocks and functions within it asks for itself. To throw is no work of the statement.
    bool Allocates(StatementSyntax statement) => statement is not (BlockSyntax or ThrowStatementSyntax or LocalFunctionStatementSyntax)
        && statement.DescendantNodes(within => within is not (BlockSyntax or AnonymousFunctionExpressionSyntax or ThrowExpressionSyntax))
            .Any(IsAllocation);

    bool IsAllocation(SyntaxNode node) => node switch
    {
        ThrowExpressionSyntax or StackAllocArrayCreationExpressionSyntax => false,
        ArrayCreationExpressionSyntax or ImplicitArrayCreationExpressionSyntax => true,
        BaseObjectCreationExpressionSyntax => model.GetTypeInfo(node).Type is { IsReferenceType: true } type && !IsException(type),
        CollectionExpressionSyntax { Elements.Count: > 0 } => model.GetTypeInfo(node).ConvertedType is { IsReferenceType: true },
        InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member } => Allocating.Contains(member.Name.Identifier.Text),
        _ => false,
    };

    static bool IsException(ITypeSymbol type)
    {
        for (ITypeSymbol? one = type; one is not null; one = one.BaseType)
            if (one.Name == nameof(Exception)) return true;
        return false;
    }
}
